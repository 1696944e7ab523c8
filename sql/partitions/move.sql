-- Moves a detached partition to another schema.
ALTER TABLE {partition} SET SCHEMA {schema};
