-- bridge V0001: functions that the later migrations lean on.
-- Lock: none on any table; functions only.

-- Binds a function to the schema it lives in, so that it finds its tables whatever search_path the caller
-- has, and a temporary table of the same name cannot take their place. Kept by pg_dump with the function.
CREATE FUNCTION pin_search_path(p_function REGPROCEDURE)
RETURNS VOID
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_schema NAME;
BEGIN
    SELECT n.nspname INTO STRICT v_schema
    FROM pg_catalog.pg_proc AS p
    JOIN pg_catalog.pg_namespace AS n ON n.oid = p.pronamespace
    WHERE p.oid = p_function;

    EXECUTE format('ALTER FUNCTION %s SET search_path = %I, pg_temp', p_function, v_schema);
END;
$$;

-- Sets updated_at on every change of a row. clock_timestamp(), not now(): two changes in one transaction differ.
CREATE FUNCTION set_updated_at()
RETURNS TRIGGER
LANGUAGE plpgsql
AS $$
BEGIN
    NEW.updated_at := clock_timestamp();
    RETURN NEW;
END;
$$;

SELECT pin_search_path('set_updated_at()');

-- Refuses the statement that fired it: for tables to which rows are only ever added.
CREATE FUNCTION reject_change()
RETURNS TRIGGER
LANGUAGE plpgsql
AS $$
BEGIN
    RAISE EXCEPTION '% on "%.%" refused: rows are only ever added to it', TG_OP, TG_TABLE_SCHEMA, TG_TABLE_NAME
        USING ERRCODE = 'insufficient_privilege',
              SCHEMA = TG_TABLE_SCHEMA,
              TABLE = TG_TABLE_NAME,
              HINT = 'old rows leave by dropping whole partitions';
END;
$$;

SELECT pin_search_path('reject_change()');
