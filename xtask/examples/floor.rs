//! The least that a Rust program can do with a server: connect, `select 1`, go. `cargo xtask bench`
//! compares dbctl's no-op with it.

use tokio_postgres::NoTls;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let url = std::env::args().nth(1).ok_or("usage: floor URL")?;
    let (client, traffic) = tokio_postgres::connect(&url, NoTls).await?;
    let traffic = tokio::spawn(traffic);
    let answer = client.simple_query("SELECT 1").await?;
    println!("{}", answer.len());
    drop(client);
    traffic.await??;
    Ok(())
}
