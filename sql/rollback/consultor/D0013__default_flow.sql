-- consultor D0013: undoes V0013. A default flow that conversations use stays: they could not be without it, and V0013
--                  accepts it when it comes again.
-- Lock: ROW EXCLUSIVE on flows, as any delete.

DELETE FROM flows AS f
WHERE f.name = 'Triagem Básica - Planos de Saúde'
  AND f.vertical = 'health_plans'
  AND f.version = 1
  AND f.is_template
  AND NOT EXISTS (SELECT FROM conversations AS c WHERE c.flow_id = f.id);
