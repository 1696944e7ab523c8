-- dbctl: part vector
-- recruitment D0010: undoes V0010; the rows of documents are lost, and embeddings cost money to compute again:
--                    dump the table first. The extension stays, other tables may use its type; to have it dropped as
--                    well, set dbctl.drop_extension to on (PGOPTIONS='-c dbctl.drop_extension=on'). Never CASCADE:
--                    where something else uses the extension, that fails (2BP01) and nothing is undone.
-- Lock: ACCESS EXCLUSIVE on documents, held for catalog changes only.

DROP TABLE documents;

DO $$
BEGIN
    IF NULLIF(current_setting('dbctl.drop_extension', TRUE), '')::BOOLEAN THEN
        DROP EXTENSION vector;
    END IF;
END;
$$;
