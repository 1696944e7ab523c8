//! The read-only queries of `sql/catalog`, by name, with the types of their parameters. Every one
//! is prepared on every supported major by the tests.

use tokio_postgres::types::Type;

/// One catalog query.
#[derive(Debug)]
pub struct Query {
    /// The file's name without `.sql`.
    pub name: &'static str,
    pub(super) sql: &'static str,
    pub(super) params: &'static [Type],
}

impl Query {
    /// The text of the file.
    pub fn text(&self) -> &'static str {
        self.sql
    }

    /// The lowest major that can answer it, as its header says.
    pub fn lowest_major(&self) -> Option<u32> {
        let server = self.sql.lines().nth(1)?;
        server.strip_prefix("-- Server: ")?.strip_suffix('.')?.parse().ok()
    }

    /// The types of its parameters, as SQL spells them.
    pub fn parameter_types(&self) -> Vec<&'static str> {
        self.params.iter().map(Type::name).collect()
    }
}

macro_rules! queries {
    ($($constant:ident = $file:literal ($($param:ident),*);)+) => {
        impl Query {
            $(
                #[doc = concat!("`sql/catalog/", $file, ".sql`")]
                pub const $constant: Query = Query {
                    name: $file,
                    sql: include_str!(concat!("../../sql/catalog/", $file, ".sql")),
                    params: &[$(Type::$param),*],
                };
            )+

            /// All of them.
            pub const ALL: &[Query] = &[$(Query::$constant),+];
        }
    };
}

queries! {
    ACTIVITY_HELD = "activity_held" (INT4_ARRAY);
    ACTIVITY_HORIZON = "activity_horizon" ();
    ACTIVITY_LIMITS = "activity_limits" ();
    ARCHIVE_COLUMNS = "archive_columns" (TEXT, TEXT);
    ARCHIVE_CONSTRAINTS = "archive_constraints" (TEXT, TEXT);
    ARCHIVE_HASHABLE = "archive_hashable" (TEXT, TEXT);
    ARCHIVE_INDEXES = "archive_indexes" (TEXT, TEXT);
    ARCHIVE_TABLE = "archive_table" (TEXT, TEXT);
    ADOPTION = "adoption" (INT8, TEXT);
    ADOPT_COLUMNS = "adopt_columns" (INT8);
    ADOPT_CONSTRAINTS = "adopt_constraints" (INT8);
    ADOPT_DEPENDENTS = "adopt_dependents" (INT8);
    ADOPT_GRANTS = "adopt_grants" (INT8);
    ADOPT_INDEXES = "adopt_indexes" (INT8);
    ADOPT_TABLE = "adopt_table" (TEXT);
    ADOPT_TRIGGERS = "adopt_triggers" (INT8);
    BACKENDS = "backends" (INT4_ARRAY);
    BACKEND_RIGHTS = "backend_rights" (INT4_ARRAY);
    BACKUP_ANCESTORS = "backup_ancestors" (OID_ARRAY);
    BACKUP_DATABASE = "backup_database" ();
    BACKUP_EXTENSIONS = "backup_extensions" ();
    BACKUP_HISTORIES = "backup_histories" ();
    BACKUP_ROLES = "backup_roles" ();
    BACKUP_SEQUENCES = "backup_sequences" ();
    BACKUP_SETTINGS = "backup_settings" ();
    BACKUP_SIZES = "backup_sizes" (OID_ARRAY);
    BACKUP_TABLES = "backup_tables" ();
    BACKUP_VIEWS = "backup_views" ();
    BLOAT_FILES = "bloat_files" (BOOL, INT8);
    BLOAT_INDEXES = "bloat_indexes" (OID_ARRAY);
    BLOAT_RIGHTS = "bloat_rights" ();
    BLOAT_SIZES = "bloat_sizes" (BOOL, INT8);
    BLOAT_STATISTICS = "bloat_statistics" (INT4, OID_ARRAY);
    BLOAT_STATISTICS_ALL = "bloat_statistics_all" (INT4, OID_ARRAY);
    BLOAT_TABLES = "bloat_tables" (OID_ARRAY);
    BLOCKERS = "blockers" (INT4);
    CLUSTER_STATE = "cluster_state" ();
    CREATE_INDEX_PROGRESS = "create_index_progress" (INT4);
    DEFAULT_BEGUN = "default_begun" (INT8);
    DEFAULT_SET = "default_set" (INT8);
    DETACH_PENDING = "detach_pending" (TEXT, TEXT);
    DATABASE_SIZES = "database_sizes" ();
    FILL_COLUMNS = "fill_columns" ();
    FILL_KEYS = "fill_keys" ();
    HISTORIES_ELSEWHERE = "histories_elsewhere" (TEXT);
    HISTORY_TABLE = "history_table" (TEXT);
    INDEXES = "indexes" (BOOL);
    INDEXES_COUNTED = "indexes_counted" ();
    INDEXES_DEFINITIONS = "indexes_definitions" (OID_ARRAY);
    INDEXES_FOREIGN_KEYS = "indexes_foreign_keys" ();
    INDEXES_LAST_SCANS_16 = "indexes_last_scans_16" ();
    INDEXES_NAMED = "indexes_named" (TEXT_ARRAY, TEXT_ARRAY);
    INDEXES_SIZES = "indexes_sizes" (OID_ARRAY);
    INDEXES_TABLES = "indexes_tables" (BOOL);
    INDEX_STATE = "index_state" (TEXT, TEXT);
    OTHER_HISTORIES = "other_histories" ();
    RELATION_ESTIMATES = "relation_estimates" ();
    RELATION_NAME = "relation_name" (OID);
    RELATION_OWNER = "relation_owner" (TEXT);
    RELATION_EXISTS = "relation_exists" (TEXT);
    INVALID_COPIES = "invalid_copies" ();
    HALF_DONE = "half_done" (TEXT);
    JOURNAL_ATTEMPTS = "journal_attempts" (TEXT, TEXT);
    LOCKS_HELD = "locks_held" ();
    LOCKS_NAMES = "locks_names" (OID_ARRAY);
    LOCKS_PREPARED = "locks_prepared" ();
    LOCKED_RELATIONS = "locked_relations" ();
    LOCK_HOLDERS = "lock_holders" (TEXT_ARRAY);
    LEASE_HOLDER = "lease_holder" (INT8, INT8);
    LINT_COLUMNS = "lint_columns" (TEXT_ARRAY);
    LINT_CONSTRAINTS = "lint_constraints" (TEXT_ARRAY);
    LINT_INDEXES = "lint_indexes" (TEXT_ARRAY);
    LINT_TABLES = "lint_tables" (TEXT_ARRAY);
    NORMAL_FORMS = "normal_forms" (TEXT);
    NAMES_TAKEN = "names_taken" (TEXT_ARRAY, TEXT_ARRAY);
    OBJECT_EXISTS = "object_exists" (TEXT, TEXT);
    OBSERVED_BACKEND = "observed_backend" (INT4);
    OBSERVED_RELATIONS = "observed_relations" ();
    OBSERVED_TRANSACTION = "observed_transaction" ();
    PARTITIONS = "partitions" (TEXT_ARRAY, TEXT_ARRAY);
    PARTITION_DEPARTED = "partition_departed" ();
    PARTITION_DETAILS = "partition_details" (OID_ARRAY);
    PARTITION_DRIFT = "partition_drift" (OID_ARRAY);
    PARTITION_ESTIMATES = "partition_estimates" (OID_ARRAY);
    PARTITION_LAST_RUN = "partition_last_run" (TEXT);
    PARTITION_LEAVING = "partition_leaving" (TEXT_ARRAY);
    PARTITION_MOMENT = "partition_moment" ();
    PARTITION_PARENTS = "partition_parents" (TEXT_ARRAY, TEXT_ARRAY);
    PARTITION_REFERRERS = "partition_referrers" (OID_ARRAY);
    PARTITION_STATE = "partition_state" ();
    PARTITION_TRASH = "partition_trash" ();
    PARTITION_SYSTEMS = "partition_systems" ();
    REPACK_LEFTOVERS = "repack_leftovers" ();
    REPACK_SETUP = "repack_setup" ();
    REPACK_STRAYS = "repack_strays" ();
    REPACK_TABLES = "repack_tables" ();
    REFRESH_VIEWS = "refresh_views" ();
    REINDEX_BEGUN = "reindex_begun" ();
    REINDEX_COLLATIONS = "reindex_collations" (TEXT);
    REINDEX_COPIES = "reindex_copies" (OID);
    REINDEX_INDEXES = "reindex_indexes" (BOOL);
    REINDEX_PATH = "reindex_path" ();
    REINDEX_SETUP = "reindex_setup" ();
    REINDEX_STATE = "reindex_state" (TEXT_ARRAY, TEXT_ARRAY, OID_ARRAY);
    REINDEX_UNFINISHED = "reindex_unfinished" ();
    REPLICATION_CONFLICTS = "replication_conflicts" ();
    REPLICATION_RECEIVER = "replication_receiver" ();
    REPLICATION_SLOTS = "replication_slots" ();
    REPLICATION_STANDBYS = "replication_standbys" ();
    REPLICATION_SUBSCRIPTION_ERRORS_15 = "replication_subscription_errors_15" ();
    REPLICATION_SUBSCRIPTIONS = "replication_subscriptions" ();
    RESTORE_ACL = "restore_acl" (TEXT_ARRAY);
    RESTORE_AGAIN = "restore_again" ();
    RESTORE_BOUND = "restore_bound" (TEXT);
    RESTORE_DATABASES = "restore_databases" ();
    RESTORE_MAP = "restore_map" (TEXT, TEXT);
    RESTORE_MEETS = "restore_meets" (TEXT_ARRAY, TEXT_ARRAY, TEXT, TEXT);
    RESTORE_SCHEMA = "restore_schema" (TEXT);
    RESTORE_SERVER = "restore_server" (TEXT_ARRAY, TEXT_ARRAY);
    RESTORE_SESSIONS = "restore_sessions" (TEXT);
    RESTORE_STAND_INS = "restore_stand_ins" ();
    RESTORE_STATISTICS = "restore_statistics" ();
    ROLES = "roles" ();
    ROW_JOB_CHILDREN = "row_job_children" (INT8);
    ROW_JOB_COLUMNS = "row_job_columns" (INT8);
    ROW_JOB_DONE = "row_job_done" (TEXT);
    ROW_JOB_INDEXES = "row_job_indexes" (INT8);
    ROW_JOB_LEAVES = "row_job_leaves" (INT8);
    ROW_JOB_PACE = "row_job_pace" ();
    ROW_JOB_STANDBYS = "row_job_standbys" ();
    ROW_JOB_TABLE = "row_job_table" (TEXT, TEXT);
    ROW_JOB_TRIGGERS = "row_job_triggers" (INT8);
    RUNS = "runs" (INT8);
    RUN_STEPS = "run_steps" (INT8);
    SCHEMA_CASTS = "schema_casts" ();
    SCHEMA_COLLATIONS = "schema_collations" ();
    SCHEMA_COLUMNS = "schema_columns" ();
    SCHEMA_CONSTRAINTS = "schema_constraints" ();
    SCHEMA_DATABASE = "schema_database" ();
    SCHEMA_DEFAULT_PRIVILEGES = "schema_default_privileges" ();
    SCHEMA_EVENT_TRIGGERS = "schema_event_triggers" ();
    SCHEMA_EXTENSIONS = "schema_extensions" ();
    SCHEMA_FOREIGN = "schema_foreign" ();
    SCHEMA_FUNCTIONS = "schema_functions" ();
    SCHEMA_INDEXES = "schema_indexes" ();
    SCHEMA_LANGUAGES = "schema_languages" ();
    SCHEMA_OPERATORS = "schema_operators" ();
    SCHEMA_POLICIES = "schema_policies" ();
    SCHEMA_PUBLICATIONS = "schema_publications" ();
    SCHEMA_PUBLICATIONS_15 = "schema_publications_15" ();
    SCHEMA_RELATIONS = "schema_relations" ();
    SCHEMA_RULES = "schema_rules" ();
    SCHEMA_SCHEMAS = "schema_schemas" ();
    SCHEMA_SEQUENCES = "schema_sequences" ();
    SCHEMA_STATISTICS = "schema_statistics" ();
    SCHEMA_SUBSCRIPTIONS = "schema_subscriptions" ();
    SCHEMA_TEXT_SEARCH = "schema_text_search" ();
    SCHEMA_TRIGGERS = "schema_triggers" ();
    SCHEMA_TYPES = "schema_types" ();
    SIZES_DATABASES = "sizes_databases" (BOOL);
    SIZES_FILES = "sizes_files" ();
    SIZES_TABLES = "sizes_tables" (BOOL);
    SCRATCH_DATABASES = "scratch_databases" ();
    SCRATCH_LIKE = "scratch_like" ();
    SERVER = "server" ();
    SERVER_IDENTITY = "server_identity" ();
    STATEMENTS_ACTIVE = "statements_active" ();
    STATEMENTS_PATH = "statements_path" (OID, OID);
    STATEMENTS_PREPARED = "statements_prepared" ();
    STATEMENTS_SETUP = "statements_setup" ();
    STATEMENTS_STEPS = "statements_steps" ();
    TRANSFER_COLUMNS = "transfer_columns" (TEXT, TEXT);
    TRANSFER_MOMENT = "transfer_moment" ();
    TRANSFER_TYPES = "transfer_types" (OID_ARRAY);
    VACUUM_AFTER = "vacuum_after" (OID_ARRAY);
    VACUUM_PLACES = "vacuum_places" (OID_ARRAY);
    VACUUM_PROGRESS = "vacuum_progress" (INT4_ARRAY);
    VACUUM_SERVER = "vacuum_server" ();
    VACUUM_SIZES = "vacuum_sizes" (OID_ARRAY);
    VACUUM_TABLES = "vacuum_tables" (OID_ARRAY, INT8);
    VITAL_ARCHIVER = "vital_archiver" ();
    VITAL_AUTOVACUUM = "vital_autovacuum" ();
    VITAL_CACHE = "vital_cache" ();
    VITAL_CHECKPOINTS = "vital_checkpoints" ();
    VITAL_CHECKPOINTS_17 = "vital_checkpoints_17" ();
    VITAL_COLLATIONS = "vital_collations" ();
    VITAL_COLLATIONS_15 = "vital_collations_15" ();
    VITAL_DATABASES = "vital_databases" ();
    VITAL_OLDEST_TABLES = "vital_oldest_tables" ();
    VITAL_ROLES = "vital_roles" ();
    VITAL_SEQUENCES = "vital_sequences" ();
    VITAL_SERVER = "vital_server" ();
    VITAL_SETTINGS = "vital_settings" ();
    VITAL_VACUUMS = "vital_vacuums" ();
}
