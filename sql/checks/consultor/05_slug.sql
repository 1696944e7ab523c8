-- check: a slug is made of the name without accents, never empty or too long, numbered when taken, also where row security hides the other one.

CREATE FUNCTION pg_temp.expect(p_what TEXT, p_got TEXT, p_wanted TEXT)
RETURNS VOID
LANGUAGE plpgsql
AS $$
BEGIN
    IF p_got IS DISTINCT FROM p_wanted THEN
        RAISE EXCEPTION 'check failed: % is %, not %', p_what, COALESCE(p_got, 'null'), COALESCE(p_wanted, 'null');
    END IF;
END;
$$;
-- Goes on as this role with this JWT subject, for the rest of the transaction; 'owner' is who runs the check. An owner
-- who is no superuser may have to become a member of the role first, which ends with the transaction.
SELECT set_config('check.owner', current_user, TRUE);

CREATE FUNCTION pg_temp.act_as(p_role TEXT, p_subject TEXT DEFAULT '')
RETURNS VOID
LANGUAGE plpgsql
AS $$
DECLARE
    v_owner TEXT := current_setting('check.owner');
BEGIN
    PERFORM set_config('role', v_owner, TRUE);
    PERFORM set_config('request.jwt.claim.sub', '', TRUE);
    PERFORM set_config('request.jwt.claims', CASE WHEN p_subject = '' THEN '' ELSE jsonb_build_object('sub', p_subject)::TEXT END, TRUE);
    IF p_role <> 'owner' THEN
        BEGIN
            PERFORM set_config('role', p_role, TRUE);
        EXCEPTION WHEN insufficient_privilege THEN
            BEGIN
                EXECUTE format('GRANT %I TO %I', p_role, v_owner);
                PERFORM set_config('role', p_role, TRUE);
            EXCEPTION WHEN insufficient_privilege THEN
                RAISE EXCEPTION 'check failed: "%" may not act as %: GRANT % TO "%"', v_owner, p_role, p_role, v_owner
                    USING ERRCODE = 'insufficient_privilege';
            END;
        END;
    END IF;
END;
$$;
SELECT pg_temp.expect(format('the slug of %L', v.name), generate_slug(v.name), v.slug)
FROM (VALUES
    ('Checkão José Álvaro Ção', 'checkao-jose-alvaro-cao'),
    ('  Check   Zqx  ', 'check-zqx'),
    ('Check -- Zqx', 'check-zqx'),
    ('-Check_Zqx-', 'checkzqx'),
    ('CHECK ISTANBUL ZQX', 'check-istanbul-zqx'),
    ('Check Straße Łódź Øre Æsir', 'check-strasse-lodz-ore-aesir'),
    ('Check O''Hara, 2ª Zqx', 'check-ohara-2a-zqx'),
    (E'Check\tZqx\nZqx', 'check-zqx-zqx')
) AS v (name, slug);

SELECT pg_temp.expect('the length of the slug of a long name', length(generate_slug(repeat('checkzqx ', 100)))::TEXT, '89');
SELECT pg_temp.expect('the slug of a long name', generate_slug(repeat('checkzqx ', 100)), 'checkzqx' || repeat('-checkzqx', 9));

-- A name without a letter gets a word, whatever is taken already.
SELECT pg_temp.expect(format('the slug of %L', v.name), (generate_slug(v.name) ~ '^consultor(-[1-9][0-9]*)?$')::TEXT, 'true')
FROM (VALUES ('!!!'), (''), ('李'), (NULL)) AS v (name);

INSERT INTO consultants (id, email, password_hash, name, whatsapp_number, vertical, slug)
VALUES
    ('c0000000-0000-4000-8000-00000000000a', 'a@check.invalid', 'x', 'Check Zqx', '+550000000000', 'insurance', generate_slug('Check Zqx')),
    ('c0000000-0000-4000-8000-00000000000b', 'b@check.invalid', 'x', 'Check Zqx Zqx', '+550000000000', 'insurance', 'check-zqx-zqx');
SELECT pg_temp.expect('the slug of a name that is taken', generate_slug('Check Zqx'), 'check-zqx-1');

-- Without a slug the insert makes one; a given one is kept.
INSERT INTO consultants (id, email, password_hash, name, whatsapp_number, vertical)
VALUES ('c0000000-0000-4000-8000-00000000000c', 'c@check.invalid', 'x', 'Chéck Zqx', '+550000000000', 'insurance');
SELECT pg_temp.expect('the slug made by the insert', c.slug, 'check-zqx-1') FROM consultants AS c WHERE c.id = 'c0000000-0000-4000-8000-00000000000c';
SELECT pg_temp.expect('the slug that was given', c.slug, 'check-zqx-zqx') FROM consultants AS c WHERE c.id = 'c0000000-0000-4000-8000-00000000000b';
SELECT pg_temp.expect('the slug of a name taken twice', generate_slug('Check Zqx'), 'check-zqx-2');

UPDATE consultants SET slug = 'check-other' WHERE id = 'c0000000-0000-4000-8000-00000000000c';
SELECT pg_temp.expect('the slug after the first number is free again', generate_slug('Check Zqx'), 'check-zqx-1');

SELECT pg_temp.act_as('authenticated', 'c0000000-0000-4000-8000-00000000000b');
SELECT pg_temp.expect('the slug for who does not see that it is taken', generate_slug('Check Zqx'), 'check-zqx-1');
