//! Documents with embeddings as they look in life: around subjects, not evenly spread. The same ones
//! in every run.

use std::error::Error;

use anyhow::Result;
use serde_json::json;
use tokio_postgres::Client;
use tokio_postgres::binary_copy::BinaryCopyInWriter;
use tokio_postgres::types::private::BytesMut;
use tokio_postgres::types::{IsNull, ToSql, Type, to_sql_checked};

/// text-embedding-3-small.
const DIMENSIONS: usize = 1536;
const SUBJECTS: u64 = 500;
const CATEGORIES: [&str; 6] = ["policy", "product", "faq", "procedure", "vacancy", "general"];

/// pgvector's `vector` in its binary form.
#[derive(Debug, Clone)]
pub struct Embedding(Vec<f32>);

impl Embedding {
    /// Of document `number`: near the others of its subject, and at a distance of its own from each.
    pub fn of_document(number: u64) -> Embedding {
        Embedding::near(number % SUBJECTS, number + 1_000_000)
    }

    /// What somebody asks about a subject.
    pub fn of_question(number: u64) -> Embedding {
        Embedding::near(number % SUBJECTS, number + 9_000_000_000)
    }

    fn near(subject: u64, own: u64) -> Embedding {
        let (mut centre, mut noise) = (Random(subject * 7919 + 1), Random(own));
        Embedding((0..DIMENSIONS).map(|_| centre.next() + noise.next() * 0.45).collect())
    }
}

impl ToSql for Embedding {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        out.extend_from_slice(&u16::try_from(self.0.len())?.to_be_bytes());
        out.extend_from_slice(&[0, 0]);
        self.0.iter().for_each(|value| out.extend_from_slice(&value.to_be_bytes()));
        Ok(IsNull::No)
    }

    fn accepts(ty: &Type) -> bool {
        ty.name() == "vector"
    }

    to_sql_checked!();
}

/// SplitMix64, as numbers from -0.5 to 0.5.
struct Random(u64);

impl Random {
    fn next(&mut self) -> f32 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 40) as f32 / (1u64 << 24) as f32 - 0.5
    }
}

/// Writes so many documents; their index is best made afterwards.
pub async fn copy_documents(client: &Client, count: u64) -> Result<()> {
    let columns = client.prepare("SELECT content, title, category, metadata, embedding FROM documents").await?;
    let types: Vec<Type> = columns.columns().iter().map(|column| column.type_().clone()).collect();
    let sink = client
        .copy_in("COPY documents (content, title, category, metadata, embedding) FROM STDIN (FORMAT binary)")
        .await?;
    let writer = BinaryCopyInWriter::new(sink, &types);
    let mut writer = std::pin::pin!(writer);
    for number in 0..count {
        let content = format!("Document {number}. {}", "What it says about its subject. ".repeat(40));
        let title = format!("Document {number}");
        let category = CATEGORIES[(number / 7 % 6) as usize];
        let metadata = json!({
            "number": number,
            "job_type": if number % 3 == 0 { "interim" } else { "permanent" },
            "budget_min": number * 7919 % 90 * 1000,
        });
        writer.as_mut().write(&[&content, &title, &category, &metadata, &Embedding::of_document(number)]).await?;
    }
    writer.finish().await?;
    Ok(())
}
