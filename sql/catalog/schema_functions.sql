-- What functions, procedures and aggregates are there, and what do they do?
-- Server: 14.
-- Rights: none.
SELECT
    CASE p.prokind WHEN 'p' THEN 'procedure' WHEN 'a' THEN 'aggregate' WHEN 'w' THEN 'window_function' ELSE 'function' END AS kind,
    n.nspname AS in_schema,
    p.proname AS name,
    '(' || pg_catalog.oidvectortypes(p.proargtypes) || ')' AS signature,
    pg_catalog.pg_get_userbyid(p.proowner) AS owner,
    p.proacl::TEXT[] AS privileges,
    NULLIF(pg_catalog.pg_get_function_arguments(p.oid), '') AS arguments,
    pg_catalog.pg_get_function_result(p.oid) AS returns,
    CASE WHEN p.prokind <> 'a' THEN l.lanname END AS language,
    CASE p.provolatile WHEN 'i' THEN 'immutable' WHEN 's' THEN 'stable' END AS volatility,
    CASE p.proparallel WHEN 's' THEN 'safe' WHEN 'r' THEN 'restricted' END AS parallel,
    NULLIF(p.proisstrict, FALSE) AS strict,
    NULLIF(p.prosecdef, FALSE) AS security_definer,
    NULLIF(p.proleakproof, FALSE) AS leakproof,
    CASE WHEN p.procost <> CASE WHEN l.lanname IN ('internal', 'c') THEN 1 ELSE 100 END AND p.prokind <> 'a' THEN p.procost::TEXT END AS cost,
    CASE WHEN p.proretset AND p.prorows <> 1000 THEN p.prorows::TEXT END AS rows,
    CASE WHEN p.prosupport <> 0 THEN p.prosupport::TEXT END AS support,
    (
        SELECT pg_catalog.array_agg(pg_catalog.format_type(y.oid, NULL) ORDER BY y.at)
        FROM pg_catalog.unnest(p.protrftypes) WITH ORDINALITY AS y (oid, at)
    ) AS transforms,
    p.proconfig AS settings,
    CASE
        WHEN p.prokind = 'a' THEN NULL
        WHEN p.prosqlbody IS NOT NULL THEN pg_catalog.pg_get_function_sqlbody(p.oid)
        ELSE pg_catalog.concat_ws(', ', p.probin, p.prosrc)
    END AS body,
    CASE WHEN p.prokind = 'a' THEN pg_catalog.concat_ws(', ',
        'sfunc ' || g.aggtransfn,
        'stype ' || pg_catalog.format_type(g.aggtranstype, NULL),
        'sspace ' || NULLIF(g.aggtransspace, 0),
        'finalfunc ' || NULLIF(g.aggfinalfn::TEXT, '-'),
        'finalfunc_modify ' || CASE WHEN g.aggfinalmodify <> 'r' THEN g.aggfinalmodify::TEXT END,
        'combinefunc ' || NULLIF(g.aggcombinefn::TEXT, '-'),
        'serialfunc ' || NULLIF(g.aggserialfn::TEXT, '-'),
        'deserialfunc ' || NULLIF(g.aggdeserialfn::TEXT, '-'),
        'initcond ' || pg_catalog.quote_literal(g.agginitval),
        'msfunc ' || NULLIF(g.aggmtransfn::TEXT, '-'),
        'minvfunc ' || NULLIF(g.aggminvtransfn::TEXT, '-'),
        'mstype ' || CASE WHEN g.aggmtranstype <> 0 THEN pg_catalog.format_type(g.aggmtranstype, NULL) END,
        'mfinalfunc ' || NULLIF(g.aggmfinalfn::TEXT, '-'),
        'minitcond ' || pg_catalog.quote_literal(g.aggminitval),
        'sortop ' || CASE WHEN g.aggsortop <> 0 THEN g.aggsortop::REGOPERATOR::TEXT END,
        CASE g.aggkind WHEN 'h' THEN 'hypothetical' WHEN 'o' THEN 'ordered set' END
    ) END AS definition,
    d.description AS comment
FROM pg_catalog.pg_proc AS p
JOIN pg_catalog.pg_namespace AS n ON n.oid = p.pronamespace
JOIN pg_catalog.pg_language AS l ON l.oid = p.prolang
LEFT JOIN pg_catalog.pg_aggregate AS g ON g.aggfnoid = p.oid
LEFT JOIN pg_catalog.pg_description AS d
    ON d.objoid = p.oid AND d.classoid = 'pg_catalog.pg_proc'::REGCLASS AND d.objsubid = 0
WHERE n.nspname <> 'information_schema'
  AND NOT pg_catalog.starts_with(n.nspname::TEXT, 'pg_')
  -- What a type makes for itself (the constructors of a range) is the type's.
  AND NOT EXISTS (
      SELECT
      FROM pg_catalog.pg_depend AS e
      WHERE e.classid = 'pg_catalog.pg_proc'::REGCLASS
        AND e.objid = p.oid
        AND e.deptype IN ('e', 'i')
  )
