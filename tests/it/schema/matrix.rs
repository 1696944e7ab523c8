//! One change at a time: the right object and property are named, and nothing else.

use dbctl::schema::Kind;

use super::{Place, differences};
use crate::harness::majors;

/// A change and what it must be told as.
pub(super) struct Change {
    pub(super) since: u32,
    pub(super) sql: &'static str,
    told: &'static [&'static str],
}

const fn change(sql: &'static str, told: &'static [&'static str]) -> Change {
    Change { since: 14, sql, told }
}

const fn since(since: u32, sql: &'static str, told: &'static [&'static str]) -> Change {
    Change { since, sql, told }
}

#[rustfmt::skip]
pub(super) const CHANGES: &[Change] = &[
    // Databases, roles, privileges of the future.
    change("ALTER DATABASE THIS SET work_mem = '16MB'", &["changed database:this#settings"]),
    change("ALTER DATABASE THIS CONNECTION LIMIT 50", &["changed database:this#connection_limit"]),
    change("COMMENT ON DATABASE THIS IS 'mine'", &["changed database:this#comment"]),
    change("GRANT CREATE ON DATABASE THIS TO ROLE_A", &["changed database:this#privileges"]),
    change("ALTER ROLE ROLE_A IN DATABASE THIS SET statement_timeout = '6s'", &["changed role_setting:ROLE_A#settings"]),
    change("ALTER ROLE ROLE_B IN DATABASE THIS SET work_mem = '1MB'", &["extra role_setting:ROLE_B"]),
    change("ALTER DEFAULT PRIVILEGES IN SCHEMA app GRANT INSERT ON TABLES TO ROLE_A", &["changed default_privileges:app.postgres tables#privileges"]),
    change("ALTER DEFAULT PRIVILEGES GRANT EXECUTE ON FUNCTIONS TO ROLE_B", &["extra default_privileges:postgres functions"]),
    // Schemas and extensions.
    change("CREATE SCHEMA more", &["extra schema:more"]),
    change("ALTER SCHEMA app OWNER TO ROLE_B", &["changed schema:app#owner"]),
    change("GRANT USAGE ON SCHEMA aside TO ROLE_A", &["changed schema:aside#privileges"]),
    change("COMMENT ON SCHEMA aside IS 'aside'", &["changed schema:aside#comment"]),
    change("REVOKE ALL ON SCHEMA public FROM PUBLIC", &["changed schema:public#privileges"]),
    change("CREATE EXTENSION btree_gist", &["extra extension:btree_gist"]),
    change("ALTER EXTENSION pg_trgm SET SCHEMA aside", &["changed extension:pg_trgm#schema"]),
    change("COMMENT ON EXTENSION pg_trgm IS 'ours'", &["changed extension:pg_trgm#comment"]),
    change("DROP EXTENSION pg_trgm", &["missing extension:pg_trgm"]),
    // Types.
    change("ALTER TYPE app.mood ADD VALUE 'ok'", &["changed enum:app.mood#labels"]),
    change("ALTER TYPE app.mood RENAME VALUE 'sad' TO 'blue'", &["changed enum:app.mood#labels"]),
    change("GRANT USAGE ON TYPE app.mood TO ROLE_A", &["changed enum:app.mood#privileges"]),
    change("ALTER DOMAIN app.email SET NOT NULL", &["changed domain:app.email#not_null"]),
    change("ALTER DOMAIN app.email SET DEFAULT 'a@b'", &["changed domain:app.email#default"]),
    change("ALTER DOMAIN app.email DROP CONSTRAINT has_at", &["missing domain:app.email/check:has_at"]),
    change("ALTER DOMAIN app.email ADD CONSTRAINT short CHECK (length(VALUE) < 100) NOT VALID", &["extra domain:app.email/check:short"]),
    change("ALTER TYPE app.point3 ADD ATTRIBUTE z integer", &["extra composite_type:app.point3/attribute:z"]),
    change("ALTER TYPE app.point3 ALTER ATTRIBUTE y TYPE bigint", &["changed composite_type:app.point3/attribute:y#type"]),
    change("DROP TYPE app.span", &["missing range_type:app.span"]),
    change("CREATE TYPE app.span AS RANGE (subtype = bigint)", &["extra range_type:app.span"]),
    change("COMMENT ON TYPE app.mood IS 'how it feels'", &["changed enum:app.mood#comment"]),
    change("DROP COLLATION app.german", &["missing collation:app.german"]),
    change("CREATE COLLATION app.french FROM \"POSIX\"", &["extra collation:app.french"]),
    change("DROP CONVERSION app.conv", &["missing conversion:app.conv"]),
    // Sequences.
    change("ALTER SEQUENCE app.numbers INCREMENT 3", &["changed sequence:app.numbers#increment"]),
    change("ALTER SEQUENCE app.numbers MAXVALUE 1000 CYCLE", &["changed sequence:app.numbers#cycle", "changed sequence:app.numbers#max_value"]),
    change("ALTER SEQUENCE app.numbers OWNED BY app.customers.id", &["changed sequence:app.numbers#owned_by"]),
    change("GRANT USAGE ON SEQUENCE app.numbers TO ROLE_A", &["changed sequence:app.numbers#privileges"]),
    change("ALTER SEQUENCE app.aged CACHE 20", &["changed sequence:app.aged#cache"]),
    change("DROP SEQUENCE app.aged", &["missing sequence:app.aged"]),
    // Tables.
    change("CREATE TABLE app.new (id integer PRIMARY KEY)", &["extra table:app.new"]),
    change("DROP TABLE app.new", &["missing table:app.new"]),
    change("ALTER TABLE app.customers SET (autovacuum_enabled = off)", &["changed table:app.customers#options"]),
    change("ALTER TABLE app.customers SET (toast.autovacuum_enabled = off)", &["changed table:app.customers#toast_options"]),
    change("ALTER TABLE app.child SET UNLOGGED", &["changed table:app.child#persistence"]),
    change("ALTER TABLE app.orders REPLICA IDENTITY FULL", &["changed table:app.orders#replica_identity"]),
    change("ALTER TABLE app.orders FORCE ROW LEVEL SECURITY", &["changed table:app.orders#force_row_security"]),
    change("ALTER TABLE app.orders DISABLE ROW LEVEL SECURITY", &["changed table:app.orders#row_security"]),
    change("ALTER TABLE app.parent OWNER TO ROLE_B", &["changed table:app.parent#owner"]),
    change("GRANT INSERT ON app.customers TO ROLE_B", &["changed table:app.customers#privileges"]),
    change("REVOKE SELECT ON app.customers FROM ROLE_A", &["changed table:app.customers#privileges"]),
    change("COMMENT ON TABLE app.customers IS 'who pays'", &["changed table:app.customers#comment"]),
    change("ALTER TABLE app.child NO INHERIT app.parent", &["changed table:app.child#inherits"]),
    change("CLUSTER app.orders USING orders_customer_idx", &["changed table:app.orders/index:orders_customer_idx#clustered"]),
    // Columns.
    change("ALTER TABLE app.customers ADD COLUMN age integer", &["extra table:app.customers/column:age"]),
    change("ALTER TABLE app.customers DROP COLUMN age", &["missing table:app.customers/column:age"]),
    change("ALTER TABLE app.customers ALTER code TYPE varchar(40)", &["changed table:app.customers/column:code#type"]),
    change("ALTER TABLE app.customers ALTER code TYPE varchar(40) COLLATE \"C\"", &["changed table:app.customers/column:code#collation"]),
    change("ALTER TABLE app.customers ALTER balance SET DEFAULT 1", &["changed table:app.customers/column:balance#default"]),
    change("ALTER TABLE app.customers ALTER balance DROP DEFAULT", &["changed table:app.customers/column:balance#default"]),
    change("ALTER TABLE app.customers ALTER note SET NOT NULL", &["changed table:app.customers/column:note#not_null"]),
    change("ALTER TABLE app.customers ALTER name DROP NOT NULL", &["changed table:app.customers/column:name#not_null"]),
    change("ALTER TABLE app.customers ALTER note SET STORAGE EXTERNAL", &["changed table:app.customers/column:note#storage"]),
    change("ALTER TABLE app.customers ALTER note SET COMPRESSION pglz", &["changed table:app.customers/column:note#compression"]),
    change("ALTER TABLE app.customers ALTER note SET STATISTICS 500", &["changed table:app.customers/column:note#statistics_target"]),
    change("ALTER TABLE app.customers ALTER note SET (n_distinct = 5)", &["changed table:app.customers/column:note#options"]),
    change("ALTER TABLE app.customers ALTER id SET GENERATED ALWAYS", &["changed table:app.customers/column:id#identity"]),
    change("ALTER TABLE app.customers ALTER id SET INCREMENT 10", &["changed table:app.customers/column:id#identity_options"]),
    change("ALTER TABLE app.customers ALTER twice DROP EXPRESSION", &["changed table:app.customers/column:twice#generated"]),
    change("GRANT SELECT (code) ON app.customers TO ROLE_B", &["changed table:app.customers/column:code#privileges"]),
    change("COMMENT ON COLUMN app.customers.name IS NULL", &["changed table:app.customers/column:name#comment"]),
    // Constraints.
    change("ALTER TABLE app.customers DROP CONSTRAINT positive", &["missing table:app.customers/check:positive"]),
    change("ALTER TABLE app.customers ADD CONSTRAINT positive CHECK (balance >= 0) NOT VALID", &["extra table:app.customers/check:positive"]),
    change("ALTER TABLE app.customers VALIDATE CONSTRAINT positive", &["changed table:app.customers/check:positive#validated"]),
    change("COMMENT ON CONSTRAINT positive ON app.customers IS 'no debt'", &["changed table:app.customers/check:positive#comment"]),
    change("ALTER TABLE app.customers DROP CONSTRAINT customers_mail_key; ALTER TABLE app.customers ADD CONSTRAINT name UNIQUE (name)",
        &["missing table:app.customers/unique:customers_mail_key", "extra table:app.customers/unique:name"]),
    change("ALTER TABLE app.customers DROP CONSTRAINT name; ALTER TABLE app.customers ADD CONSTRAINT mail UNIQUE (mail)",
        &["missing table:app.customers/unique:name", "extra table:app.customers/unique:mail"]),
    change("ALTER TABLE app.customers DROP CONSTRAINT mail", &["missing table:app.customers/unique:mail"]),
    change("ALTER TABLE app.customers ADD CONSTRAINT customers_mail_key UNIQUE (mail) DEFERRABLE", &["extra table:app.customers/unique:customers_mail_key"]),
    change("ALTER TABLE app.orders DISABLE TRIGGER ALL",
        &["changed table:app.orders/foreign_key:orders_customer_fkey#enabled", "changed table:app.orders/constraint_trigger:late#enabled"]),
    change("ALTER TABLE app.orders ENABLE TRIGGER ALL",
        &["changed table:app.orders/foreign_key:orders_customer_fkey#enabled", "changed table:app.orders/constraint_trigger:late#enabled"]),
    change("ALTER TABLE app.orders ALTER CONSTRAINT orders_customer_fkey DEFERRABLE", &["changed table:app.orders/foreign_key:orders_customer_fkey#definition"]),
    change("ALTER TABLE app.orders DROP CONSTRAINT orders_customer_fkey", &["missing table:app.orders/foreign_key:orders_customer_fkey"]),
    change("ALTER TABLE app.orders DROP CONSTRAINT no_overlap", &["missing table:app.orders/exclusion:no_overlap"]),
    change("ALTER TABLE app.orders DROP CONSTRAINT orders_pkey", &["missing table:app.orders/primary_key:orders_pkey"]),
    change("ALTER TABLE app.orders ADD CONSTRAINT orders_pkey PRIMARY KEY (id) WITH (fillfactor = 80)", &["extra table:app.orders/primary_key:orders_pkey"]),
    change("ALTER INDEX app.orders_pkey SET (fillfactor = 90)", &["changed table:app.orders/primary_key:orders_pkey#options"]),
    // Indexes.
    change("CREATE INDEX by_code ON app.customers (code)", &["extra table:app.customers/index:by_code"]),
    change("DROP INDEX app.by_code", &["missing table:app.customers/index:by_code"]),
    change("ALTER INDEX app.customers_name_idx SET (fillfactor = 70)", &["changed table:app.customers/index:customers_name_idx#options"]),
    change("UPDATE pg_catalog.pg_index SET indisvalid = false WHERE indexrelid = 'app.customers_name_idx'::regclass", &["changed table:app.customers/index:customers_name_idx#valid"]),
    change("DROP INDEX app.customers_lower; CREATE INDEX customers_lower ON app.customers (lower(name))", &["changed table:app.customers/index:customers_lower#definition"]),
    change("COMMENT ON INDEX app.customers_lower IS 'search'", &["changed table:app.customers/index:customers_lower#comment"]),
    change("ALTER INDEX app.customers_lower ALTER COLUMN 1 SET STATISTICS 300", &["changed table:app.customers/index:customers_lower#statistics_target"]),
    change("ALTER STATISTICS app.orders_stat SET STATISTICS 400", &["changed statistics:app.orders_stat#statistics_target"]),
    change("DROP STATISTICS app.orders_stat", &["missing statistics:app.orders_stat"]),
    change("ALTER INDEX app.customers_lower RENAME TO customers_low", &["renamed table:app.customers/index:customers_lower#name"]),
    change("ALTER TABLE app.customers RENAME CONSTRAINT positive TO solvent", &["renamed table:app.customers/check:positive#name"]),
    change("ALTER TABLE app.customers RENAME COLUMN code TO label", &["missing table:app.customers/column:code", "extra table:app.customers/column:label"]),
    // Partitions.
    change("CREATE TABLE app.events_2026_03 PARTITION OF app.events FOR VALUES FROM ('2026-03-01') TO ('2026-04-01')", &["extra table:app.events_2026_03"]),
    change("ALTER TABLE app.events DETACH PARTITION app.events_2026_03; ALTER TABLE app.events ATTACH PARTITION app.events_2026_03 FOR VALUES FROM ('2026-03-01') TO ('2026-03-15')", &["changed table:app.events_2026_03#bound"]),
    change("ALTER TABLE app.events_2026_01 ALTER kind SET DEFAULT 'y'", &["changed table:app.events_2026_01/column:kind#default"]),
    change("ALTER TABLE app.events_2026_01 ALTER kind SET DEFAULT 'x'", &["changed table:app.events_2026_01/column:kind#default"]),
    change("CREATE INDEX own ON app.events_2026_01 (at)", &["extra table:app.events_2026_01/index:own"]),
    change("CREATE INDEX events_at ON ONLY app.events (at)", &["extra table:app.events/index:events_at", "changed table:app.events_2026_01#lacks", "changed table:app.events_2026_02#lacks", "changed table:app.events_2026_03#lacks"]),
    change("ALTER INDEX app.events_at ATTACH PARTITION app.own", &["missing table:app.events_2026_01/index:own", "changed table:app.events_2026_01#lacks"]),
    change("ALTER TABLE app.events_2026_02 ADD CONSTRAINT small CHECK (id < 1000)", &["extra table:app.events_2026_02/check:small"]),
    change("ALTER TABLE app.events_2026_02 DISABLE TRIGGER event_touch", &["changed table:app.events_2026_02/trigger:event_touch#enabled"]),
    change("DROP TABLE app.events_2026_03", &["missing table:app.events_2026_03"]),
    // Views.
    change("CREATE OR REPLACE VIEW app.rich AS SELECT id, name FROM app.customers WHERE balance > 200", &["changed view:app.rich#definition"]),
    change("ALTER VIEW app.rich SET (security_barrier = true)", &["changed view:app.rich#options"]),
    since(15, "ALTER VIEW app.rich SET (security_invoker = true)", &["changed view:app.rich#options"]),
    change("ALTER VIEW app.rich ALTER COLUMN name SET DEFAULT 'x'", &["changed view:app.rich/column:name#default"]),
    change("GRANT DELETE ON app.rich TO ROLE_A", &["changed view:app.rich#privileges"]),
    change("DROP VIEW app.rich", &["missing view:app.rich"]),
    change("DROP INDEX app.totals_n", &["missing materialized_view:app.totals/index:totals_n"]),
    change("ALTER MATERIALIZED VIEW app.totals SET (fillfactor = 70)", &["changed materialized_view:app.totals#options"]),
    change("DROP MATERIALIZED VIEW app.totals", &["missing materialized_view:app.totals"]),
    // Triggers, rules, policies.
    change("ALTER TABLE app.customers DISABLE TRIGGER touch", &["changed table:app.customers/trigger:touch#enabled"]),
    change("DROP TRIGGER touch ON app.customers; CREATE TRIGGER touch AFTER UPDATE ON app.customers FOR EACH ROW EXECUTE FUNCTION app.touch()", &["changed table:app.customers/trigger:touch#definition", "changed table:app.customers/trigger:touch#enabled"]),
    change("DROP TRIGGER late ON app.orders", &["missing table:app.orders/constraint_trigger:late"]),
    change("CREATE OR REPLACE RULE keep AS ON DELETE TO app.parent DO ALSO NOTHING", &["changed table:app.parent/rule:keep#definition"]),
    change("DROP RULE keep ON app.parent", &["missing table:app.parent/rule:keep"]),
    change("ALTER POLICY own ON app.orders USING (customer > 1)", &["changed table:app.orders/policy:own#using"]),
    change("ALTER POLICY own ON app.orders TO ROLE_B", &["changed table:app.orders/policy:own#roles"]),
    change("CREATE POLICY strict ON app.orders AS RESTRICTIVE FOR INSERT WITH CHECK (id > 0)", &["extra table:app.orders/policy:strict"]),
    change("ALTER POLICY strict ON app.orders WITH CHECK (id > 1)", &["changed table:app.orders/policy:strict#with_check"]),
    // Functions and what stands on them.
    change("CREATE OR REPLACE FUNCTION app.total(a integer, b integer DEFAULT 1) RETURNS integer LANGUAGE sql STABLE AS 'SELECT a - b'", &["changed function:app.total(integer, integer)#body"]),
    change("CREATE OR REPLACE FUNCTION app.total(a integer, b integer DEFAULT 2) RETURNS integer LANGUAGE sql STABLE AS 'SELECT a - b'", &["changed function:app.total(integer, integer)#arguments"]),
    change("ALTER FUNCTION app.total(integer, integer) SECURITY DEFINER", &["changed function:app.total(integer, integer)#security_definer"]),
    change("ALTER FUNCTION app.total(integer, integer) SET search_path = ''", &["changed function:app.total(integer, integer)#settings"]),
    change("ALTER FUNCTION app.total(integer, integer) IMMUTABLE PARALLEL SAFE", &["changed function:app.total(integer, integer)#parallel", "changed function:app.total(integer, integer)#volatility"]),
    change("ALTER FUNCTION app.total(integer, integer) STRICT COST 7", &["changed function:app.total(integer, integer)#cost", "changed function:app.total(integer, integer)#strict"]),
    change("REVOKE EXECUTE ON FUNCTION app.total(integer, integer) FROM PUBLIC", &["changed function:app.total(integer, integer)#privileges"]),
    change("CREATE FUNCTION app.total(a text) RETURNS text LANGUAGE sql AS 'SELECT a'", &["extra function:app.total(text)"]),
    change("ALTER PROCEDURE app.tidy_up() OWNER TO ROLE_B", &["changed procedure:app.tidy_up()#owner"]),
    change("DROP PROCEDURE app.tidy_up()", &["missing procedure:app.tidy_up()"]),
    change("CREATE OR REPLACE AGGREGATE app.sum_all (integer) (SFUNC = int4pl, STYPE = integer, INITCOND = '1')", &["changed aggregate:app.sum_all(integer)#definition"]),
    change("DROP AGGREGATE app.sum_all (integer)", &["missing aggregate:app.sum_all(integer)"]),
    change("DROP OPERATOR app.=== (integer, integer)", &["missing operator:app.\"===\"(integer, integer)"]),
    change("ALTER OPERATOR FAMILY app.fam USING btree ADD FUNCTION 1 (integer, bigint) btint48cmp(integer, bigint)", &["changed operator_family:app.fam using btree#members"]),
    change("DROP OPERATOR CLASS app.cls USING btree", &["missing operator_class:app.cls using btree", "changed operator_family:app.fam using btree#members"]),
    change("DROP CAST (app.point3 AS text)", &["missing cast:app.point3 as text"]),
    change("ALTER EVENT TRIGGER watch DISABLE", &["changed event_trigger:watch#enabled"]),
    change("DROP EVENT TRIGGER watch", &["missing event_trigger:watch"]),
    // Text search, foreign data, publications.
    change("ALTER TEXT SEARCH DICTIONARY app.dict (STOPWORDS = german)", &["changed text_search_dictionary:app.dict#definition"]),
    change("ALTER TEXT SEARCH CONFIGURATION app.conf DROP MAPPING FOR word", &["changed text_search_configuration:app.conf#mappings"]),
    change("ALTER SERVER far OPTIONS (SET host 'near.example')", &["changed server:far#options"]),
    change("ALTER SERVER far VERSION '2'", &["changed server:far#version"]),
    change("ALTER USER MAPPING FOR ROLE_A SERVER far OPTIONS (SET user 'you')", &["changed server:far/user_mapping:ROLE_A#options"]),
    change("ALTER FOREIGN TABLE app.remote_orders OPTIONS (SET table_name 'other')", &["changed foreign_table:app.remote_orders#options"]),
    change("ALTER FOREIGN TABLE app.remote_orders ADD COLUMN b integer", &["extra foreign_table:app.remote_orders/column:b"]),
    change("DROP FOREIGN TABLE app.remote_orders", &["missing foreign_table:app.remote_orders"]),
    change("ALTER PUBLICATION news SET (publish = 'insert')", &["changed publication:news#commands"]),
    change("ALTER PUBLICATION news ADD TABLE app.orders", &["changed publication:news#tables"]),
    since(15, "ALTER PUBLICATION news SET TABLE app.customers WHERE (id > 0), app.orders", &["changed publication:news#tables"]),
    since(15, "ALTER PUBLICATION news ADD TABLES IN SCHEMA aside", &["changed publication:news#schemas"]),
    change("ALTER FOREIGN DATA WRAPPER remote OPTIONS (ADD debug 'yes')", &["changed foreign_data_wrapper:remote#options"]),
    change("GRANT USAGE ON FOREIGN SERVER far TO ROLE_B", &["changed server:far#privileges"]),
    change("DROP USER MAPPING FOR ROLE_A SERVER far", &["missing server:far/user_mapping:ROLE_A"]),
    change("CREATE TEXT SEARCH PARSER app.words (START = prsd_start, GETTOKEN = prsd_nexttoken, END = prsd_end, LEXTYPES = prsd_lextype)", &["extra text_search_parser:app.words"]),
    change("CREATE TEXT SEARCH TEMPLATE app.plain (INIT = dsimple_init, LEXIZE = dsimple_lexize)", &["extra text_search_template:app.plain"]),
    change("DROP TEXT SEARCH TEMPLATE app.plain", &["missing text_search_template:app.plain"]),
    change("CREATE SUBSCRIPTION feed CONNECTION 'dbname=elsewhere password=hidden-secret' PUBLICATION news WITH (connect = false, slot_name = NONE)", &["extra subscription:feed"]),
    change("ALTER SUBSCRIPTION feed SET PUBLICATION other WITH (refresh = false)", &["changed subscription:feed#publications"]),
    change("DROP SUBSCRIPTION feed", &["missing subscription:feed"]),
    // What few databases have.
    change("CREATE LANGUAGE plown HANDLER plpgsql_call_handler", &["extra language:plown"]),
    change("ALTER LANGUAGE plown OWNER TO ROLE_B", &["changed language:plown#owner"]),
    change("GRANT USAGE ON LANGUAGE plpgsql TO ROLE_A; REVOKE USAGE ON LANGUAGE plpgsql FROM PUBLIC", &["changed language:plpgsql#privileges"]),
    change("CREATE ACCESS METHOD own_heap TYPE TABLE HANDLER heap_tableam_handler", &["extra access_method:own_heap"]),
    change("CREATE TABLE app.in_own_heap (id integer) USING own_heap", &["extra table:app.in_own_heap"]),
    change("CREATE TRANSFORM FOR app.mood LANGUAGE plpgsql (FROM SQL WITH FUNCTION prsd_lextype(internal))", &["extra transform:for app.mood language plpgsql"]),
    change("CREATE FUNCTION app.nth() RETURNS bigint LANGUAGE internal WINDOW AS 'window_row_number'", &["extra window_function:app.nth()"]),
    change("CREATE TYPE app.coin; CREATE FUNCTION app.coin_in(cstring) RETURNS app.coin LANGUAGE internal IMMUTABLE STRICT AS 'int4in'; CREATE FUNCTION app.coin_out(app.coin) RETURNS cstring LANGUAGE internal IMMUTABLE STRICT AS 'int4out'; CREATE TYPE app.coin (INPUT = app.coin_in, OUTPUT = app.coin_out, INTERNALLENGTH = 4, PASSEDBYVALUE)", &["extra base_type:app.coin", "extra function:app.coin_in(cstring)", "extra function:app.coin_out(app.coin)"]),
    change("ALTER OPERATOR app.### (integer, integer) SET (RESTRICT = eqsel)", &["changed operator:app.\"###\"(integer, integer)#definition"]),
    change("CREATE PROCEDURE app.tidy_up(INOUT a integer) LANGUAGE plpgsql AS 'BEGIN NULL; END'", &["extra procedure:app.tidy_up(integer)"]),
    since(18, "ALTER TABLE app.parent ADD CONSTRAINT never CHECK (id < 100) NOT ENFORCED", &["extra table:app.parent/check:never"]),
    since(18, "CREATE TABLE app.kept (a integer); ALTER TABLE app.kept ADD CONSTRAINT here NOT NULL a NO INHERIT", &["extra table:app.kept"]),
    since(18, "ALTER TABLE app.kept ALTER CONSTRAINT here INHERIT", &["changed table:app.kept/column:a#no_inherit"]),
    since(18, "ALTER TABLE app.parent ADD CONSTRAINT there NOT NULL id NOT VALID", &["changed table:app.parent/column:id#not_null", "changed table:app.parent/column:id#validated"]),
];

#[test]
fn every_change_is_found_at_its_object_and_property() {
    assert!(CHANGES.len() >= 100, "{}", CHANGES.len());
    for major in majors() {
        let place = Place::filled(major);
        let mut before = place.capture();
        let mut wrong = Vec::new();
        for change in CHANGES.iter().filter(|change| change.since <= major) {
            place.run(change.sql);
            let after = place.capture();
            let told = differences(&before, &after);
            let mut expected: Vec<String> = change.told.iter().map(|line| place.named(line)).collect();
            expected.sort();
            if told != expected {
                wrong.push(format!("{}\n   told: {told:?}\n  meant: {expected:?}", change.sql));
            }
            before = after;
        }
        assert!(wrong.is_empty(), "on {major}:\n{}", wrong.join("\n"));
    }
}

#[test]
fn every_kind_is_met_by_a_change() {
    let told: String = CHANGES.iter().flat_map(|change| change.told).map(|line| format!("{line}\n")).collect();
    let met =
        |kind: &&Kind| told.contains(&format!(" {}:", kind.word())) || told.contains(&format!("/{}:", kind.word()));
    let missed: Vec<&Kind> = Kind::ALL.iter().filter(|kind| !met(kind)).collect();
    assert!(missed.is_empty(), "{missed:?}");
}
