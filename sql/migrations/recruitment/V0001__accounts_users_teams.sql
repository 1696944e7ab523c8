-- recruitment V0001: accounts, users and teams, to which every other table refers, and the helper functions.
-- Lock: none that anybody could wait for; the tables are new.

-- Binds a function to the schema it lives in and to those named after it, so that it finds its tables and operators
-- whatever search_path the caller has, and a temporary table of the same name cannot take their place.
CREATE FUNCTION pin_search_path(p_function REGPROCEDURE, VARIADIC p_more NAME[] DEFAULT '{}')
RETURNS VOID
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_schema NAME;
    v_more TEXT;
BEGIN
    SELECT n.nspname INTO STRICT v_schema
    FROM pg_catalog.pg_proc AS p
    JOIN pg_catalog.pg_namespace AS n ON n.oid = p.pronamespace
    WHERE p.oid = p_function;

    SELECT string_agg(format('%I, ', m.name), '' ORDER BY m.position) INTO v_more
    FROM unnest(p_more) WITH ORDINALITY AS m (name, position)
    WHERE m.name <> v_schema;

    EXECUTE format('ALTER FUNCTION %s SET search_path = %I, %spg_temp', p_function, v_schema, v_more);
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

CREATE TABLE accounts (
    id SERIAL PRIMARY KEY,
    name VARCHAR(255) NOT NULL,
    created_at TIMESTAMPTZ DEFAULT NOW(),
    updated_at TIMESTAMPTZ DEFAULT NOW()
);

-- The people who answer: conversations.assignee_id.
CREATE TABLE users (
    id SERIAL PRIMARY KEY,
    name VARCHAR(255) NOT NULL,
    email VARCHAR(255) NOT NULL,
    created_at TIMESTAMPTZ DEFAULT NOW(),
    updated_at TIMESTAMPTZ DEFAULT NOW(),

    CONSTRAINT unique_user_email UNIQUE (email)
);

CREATE TABLE teams (
    id SERIAL PRIMARY KEY,
    account_id INT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    name VARCHAR(255) NOT NULL,
    created_at TIMESTAMPTZ DEFAULT NOW(),
    updated_at TIMESTAMPTZ DEFAULT NOW(),

    -- Its index also serves the foreign key.
    CONSTRAINT unique_team_per_account UNIQUE (account_id, name)
);

CREATE TRIGGER trigger_set_updated_at
    BEFORE UPDATE ON accounts
    FOR EACH ROW
    WHEN (OLD.* IS DISTINCT FROM NEW.*)
    EXECUTE FUNCTION set_updated_at();

CREATE TRIGGER trigger_set_updated_at
    BEFORE UPDATE ON users
    FOR EACH ROW
    WHEN (OLD.* IS DISTINCT FROM NEW.*)
    EXECUTE FUNCTION set_updated_at();

CREATE TRIGGER trigger_set_updated_at
    BEFORE UPDATE ON teams
    FOR EACH ROW
    WHEN (OLD.* IS DISTINCT FROM NEW.*)
    EXECUTE FUNCTION set_updated_at();
