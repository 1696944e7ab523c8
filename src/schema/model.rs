//! A schema as values: objects with properties, free of OIDs, in one order. What is the same in two
//! databases is the same value here, whichever server printed it. Pure.

use std::collections::BTreeMap;
use std::fmt;

use sha2::{Digest, Sha256};

/// A schema. What is not in `objects` is information about where they were read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// Where it was read.
    pub origin: Origin,
    /// Sorted by id, each id once.
    pub objects: Vec<Object>,
}

/// Where a snapshot was read; no part of the fingerprint.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Origin {
    /// The database.
    pub database: String,
    /// The server's major version.
    pub major: u32,
    /// What the role could not read, a sentence each: those parts are UNKNOWN.
    pub unreadable: Vec<String>,
}

/// One object, or a part of one: a column, a constraint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object {
    /// What and where it is.
    pub id: Id,
    /// What it is like; a property that has its usual value is left out.
    pub properties: BTreeMap<Property, Value>,
}

/// A stable name: `table:app.orders`, `table:app.orders/column:id`, `function:app.total(integer)`.
/// Names are quoted where SQL would want it. Ordered by parents, then kind, then name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Id {
    /// The id of the object that this is a part of.
    pub parent: Option<Box<str>>,
    /// The kind.
    pub kind: Kind,
    /// Its name inside of its parent, else with its schema.
    pub name: Box<str>,
}

/// The id as text, `parent/kind:name`.
impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(parent) = &self.parent {
            write!(f, "{parent}/")?;
        }
        write!(f, "{}:{}", self.kind.word(), self.name)
    }
}

impl Id {
    /// The id that [`Id`] prints.
    pub fn parse(text: &str) -> Option<Id> {
        let mut quoted = false;
        let outside = |c: char| {
            quoted ^= c == '"';
            c == '/' && !quoted
        };
        let (parent, own) = match text.split_once(outside) {
            Some((parent, own)) => (Some(parent.into()), own),
            None => (None, text),
        };
        let (kind, name) = own.split_once(':')?;
        Some(Id { parent, kind: Kind::of_word(kind)?, name: name.into() })
    }
}

/// The value of a property.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// Yes or no.
    Bool(bool),
    /// A number.
    Int(i64),
    /// A text, which may have lines.
    Text(Box<str>),
    /// Several texts. Sorted where their order means nothing.
    List(Vec<Box<str>>),
}

/// As a person reads it; the parts of a list on lines of their own.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Bool(yes) => f.write_str(if *yes { "yes" } else { "no" }),
            Value::Int(number) => write!(f, "{number}"),
            Value::Text(text) => f.write_str(text),
            Value::List(parts) => f.write_str(&parts.join("\n")),
        }
    }
}

macro_rules! words {
    ($(#[$about:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$about])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            $($(#[$doc])* $variant,)+
        }

        impl $name {
            /// All of them, in their order.
            pub const ALL: &[$name] = &[$($name::$variant),+];

            /// Its spelling in ids and files.
            pub fn word(self) -> &'static str {
                match self {
                    $($name::$variant => $word,)+
                }
            }

            /// The one with this spelling.
            pub fn of_word(word: &str) -> Option<$name> {
                match word {
                    $($word => Some($name::$variant),)+
                    _ => None,
                }
            }
        }
    };
}

words! {
    /// What sort of object it is. The order is that of a listing: what others stand on comes first.
    #[expect(missing_docs, reason = "PostgreSQL's own terms")]
    Kind {
        Database = "database",
        RoleSetting = "role_setting",
        DefaultPrivileges = "default_privileges",
        Extension = "extension",
        Schema = "schema",
        Language = "language",
        AccessMethod = "access_method",
        Collation = "collation",
        Conversion = "conversion",
        Enum = "enum",
        Domain = "domain",
        Composite = "composite_type",
        Range = "range_type",
        BaseType = "base_type",
        Cast = "cast",
        Operator = "operator",
        OperatorFamily = "operator_family",
        OperatorClass = "operator_class",
        Transform = "transform",
        Function = "function",
        Procedure = "procedure",
        Aggregate = "aggregate",
        WindowFunction = "window_function",
        Sequence = "sequence",
        Table = "table",
        ForeignTable = "foreign_table",
        View = "view",
        MaterializedView = "materialized_view",
        Column = "column",
        Attribute = "attribute",
        PrimaryKey = "primary_key",
        Unique = "unique",
        Exclusion = "exclusion",
        Check = "check",
        ForeignKey = "foreign_key",
        ConstraintTrigger = "constraint_trigger",
        Index = "index",
        Trigger = "trigger",
        Rule = "rule",
        Policy = "policy",
        Statistics = "statistics",
        TextSearchParser = "text_search_parser",
        TextSearchTemplate = "text_search_template",
        TextSearchDictionary = "text_search_dictionary",
        TextSearchConfiguration = "text_search_configuration",
        ForeignDataWrapper = "foreign_data_wrapper",
        Server = "server",
        UserMapping = "user_mapping",
        Publication = "publication",
        Subscription = "subscription",
        EventTrigger = "event_trigger",
    }
}

words! {
    /// What is said of an object. A column of the queries `sql/catalog/schema_*.sql` is a property.
    #[expect(missing_docs, reason = "PostgreSQL's own terms; the queries say where each is read")]
    Property {
        Type = "type",
        Collation = "collation",
        NotNull = "not_null",
        Default = "default",
        Identity = "identity",
        IdentityOptions = "identity_options",
        Generated = "generated",
        Storage = "storage",
        Compression = "compression",
        StatisticsTarget = "statistics_target",
        Definition = "definition",
        Validated = "validated",
        Enforced = "enforced",
        Deferrable = "deferrable",
        NoInherit = "no_inherit",
        Valid = "valid",
        Ready = "ready",
        Enabled = "enabled",
        Persistence = "persistence",
        AccessMethod = "access_method",
        Tablespace = "tablespace",
        Options = "options",
        ToastOptions = "toast_options",
        ReplicaIdentity = "replica_identity",
        RowSecurity = "row_security",
        ForceRowSecurity = "force_row_security",
        Clustered = "clustered",
        PartitionKey = "partition_key",
        PartitionOf = "partition_of",
        Bound = "bound",
        Inherits = "inherits",
        OfType = "of_type",
        Lacks = "lacks",
        Server = "server",
        Populated = "populated",
        Start = "start",
        Increment = "increment",
        MinValue = "min_value",
        MaxValue = "max_value",
        Cache = "cache",
        Cycle = "cycle",
        OwnedBy = "owned_by",
        Arguments = "arguments",
        Returns = "returns",
        Language = "language",
        Volatility = "volatility",
        Parallel = "parallel",
        Strict = "strict",
        SecurityDefiner = "security_definer",
        Leakproof = "leakproof",
        Cost = "cost",
        Rows = "rows",
        Support = "support",
        Transforms = "transforms",
        Settings = "settings",
        Body = "body",
        Labels = "labels",
        BaseType = "base_type",
        Subtype = "subtype",
        Multirange = "multirange",
        OperatorClass = "operator_class",
        Members = "members",
        Commands = "commands",
        Permissive = "permissive",
        Roles = "roles",
        Using = "using",
        WithCheck = "with_check",
        Columns = "columns",
        Kinds = "kinds",
        Target = "target",
        Provider = "provider",
        Locale = "locale",
        Deterministic = "deterministic",
        Encoding = "encoding",
        Version = "version",
        Schema = "schema",
        Relocatable = "relocatable",
        Handler = "handler",
        Inline = "inline",
        Validator = "validator",
        Trusted = "trusted",
        Context = "context",
        Method = "method",
        Parser = "parser",
        Mappings = "mappings",
        Template = "template",
        Tables = "tables",
        Schemas = "schemas",
        AllTables = "all_tables",
        ViaRoot = "via_root",
        GeneratedColumns = "generated_columns",
        Publications = "publications",
        Slot = "slot",
        Event = "event",
        Tags = "tags",
        Function = "function",
        Commutator = "commutator",
        Negator = "negator",
        Procedure = "procedure",
        ConnectionLimit = "connection_limit",
        Owner = "owner",
        Privileges = "privileges",
        SecurityLabels = "security_labels",
        Comment = "comment",
    }
}

impl Object {
    /// A property.
    pub fn get(&self, property: Property) -> Option<&Value> {
        self.properties.get(&property)
    }

    /// SHA-256 over the id and the properties.
    pub fn fingerprint(&self) -> [u8; 32] {
        let mut hash = Sha256::new();
        let mut part = |tag: u8, text: &str| {
            // Lengths in front, so that no two objects are the same bytes.
            hash.update([tag]);
            hash.update((text.len() as u64).to_be_bytes());
            hash.update(text);
        };
        part(b'i', &self.id.to_string());
        for (property, value) in &self.properties {
            part(b'p', property.word());
            match value {
                Value::Bool(yes) => part(b'b', if *yes { "t" } else { "f" }),
                Value::Int(number) => part(b'n', &number.to_string()),
                Value::Text(text) => part(b't', text),
                Value::List(parts) => {
                    part(b'l', &parts.len().to_string());
                    parts.iter().for_each(|text| part(b't', text));
                }
            }
        }
        hash.finalize().into()
    }
}

impl Snapshot {
    /// Sorts the objects; of two with one id the first stays, which no catalog should hold.
    pub fn new(origin: Origin, mut objects: Vec<Object>) -> Snapshot {
        objects.sort_by(|a, b| a.id.cmp(&b.id));
        objects.dedup_by(|later, first| later.id == first.id);
        Snapshot { origin, objects }
    }

    /// SHA-256 over the fingerprints of all objects.
    pub fn fingerprint(&self) -> [u8; 32] {
        let mut hash = Sha256::new();
        self.objects.iter().for_each(|object| hash.update(object.fingerprint()));
        hash.finalize().into()
    }

    /// The object with this id.
    pub fn object(&self, id: &Id) -> Option<&Object> {
        self.objects.binary_search_by(|object| object.id.cmp(id)).ok().and_then(|at| self.objects.get(at))
    }
}

/// A name as ids spell it: quoted where it is more than small letters, digits and underscores. Keywords
/// stay bare, because which words are keywords depends on the server's version.
pub fn bare(name: &str) -> String {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || c == '$';
    let starts = name.starts_with(|c: char| c.is_ascii_lowercase() || c == '_');
    if starts && name.chars().all(plain) { name.to_owned() } else { format!("\"{}\"", name.replace('"', "\"\"")) }
}

/// A hash as people compare it: 64 hexadecimal digits.
pub fn hex(hash: &[u8; 32]) -> String {
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(kind: Kind, name: &str, properties: &[(Property, Value)]) -> Object {
        let id = Id { parent: None, kind, name: name.into() };
        Object { id, properties: properties.iter().cloned().collect() }
    }

    #[test]
    fn ids_name_the_way_from_the_outermost_object() {
        let id = Id { parent: Some("table:app.t".into()), kind: Kind::Column, name: "\"A/b\"".into() };
        assert_eq!(id.to_string(), "table:app.t/column:\"A/b\"");
        for text in ["table:app.t/column:\"A/b\"", "table:\"a/\"\"b:\".t/column:c", "function:app.f(integer, \"x/y\")"]
        {
            assert_eq!(Id::parse(text).unwrap().to_string(), text);
        }
        assert!(Id::parse("table").is_none() && Id::parse("thing:x").is_none());
        for kind in Kind::ALL {
            assert_eq!(Kind::of_word(kind.word()), Some(*kind));
        }
        for property in Property::ALL {
            assert_eq!(Property::of_word(property.word()), Some(*property));
        }
    }

    #[test]
    fn a_fingerprint_follows_every_part_and_no_order_of_reading() {
        let list = |parts: &[&str]| Value::List(parts.iter().map(|part| (*part).into()).collect());
        let a = object(Kind::Enum, "app.e", &[(Property::Labels, list(&["x", "y"]))]);
        let others = [
            object(Kind::Enum, "app.e", &[(Property::Labels, list(&["xy"]))]),
            object(Kind::Enum, "app.e", &[(Property::Labels, list(&["y", "x"]))]),
            object(Kind::Enum, "app.e", &[]),
            object(Kind::Enum, "app.f", &[(Property::Labels, list(&["x", "y"]))]),
            object(Kind::Domain, "app.e", &[(Property::Labels, list(&["x", "y"]))]),
        ];
        assert!(others.iter().all(|other| other.fingerprint() != a.fingerprint()));
        let both = |objects| Snapshot::new(Origin::default(), objects).fingerprint();
        assert_eq!(both(vec![a.clone(), others[3].clone()]), both(vec![others[3].clone(), a]));
    }
}
