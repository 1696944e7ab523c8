-- Which roles does the server have, without its own, and what may they?
-- Server: 14.
-- Rights: none.
SELECT
    r.rolname::text AS name,
    r.rolinherit AS inherits,
    r.rolbypassrls AS bypasses,
    r.rolcanlogin AS logs_in
FROM pg_catalog.pg_roles AS r
WHERE r.rolname !~ '^pg_'
ORDER BY r.rolname
