//! Uploads, four at a time, from the first byte until thumbnail, preview, thumbhash and metadata are stored.

use std::sync::atomic::AtomicUsize;
use std::time::Instant;

use calotype_tests::jpeg::with_comment;
use calotype_tests::{Client, Options, TestServer, Upload, import};

use crate::cpu::Used;
use crate::figures::{self, count};
use crate::pictures::{Kind, synthesize};

/// Pictures of each kind that differ in their pixels; the others differ in a comment.
const DIFFERENT: u32 = 6;

/// Measures.
pub(crate) async fn measure(full: bool) -> anyhow::Result<()> {
    figures::group("uploads, 4 at a time");
    let options = Options { testing: false, ..Options::default() };
    let mut server = TestServer::start(options).await?;
    let admin = server.client().sign_up().await?;
    // The first ones pay for decoders, connections and plans.
    round(&server, &admin, Kind::Small, 12, "warm").await?;
    for (kind, files, cpu_s, per_second) in
        [(Kind::Big, 60, 0.15, 12.0), (Kind::Small, 400, 0.03, 60.0)]
    {
        let files = if full { files * 4 } else { files };
        let (cpu, speed) = round(&server, &admin, kind, files, "measured").await?;
        let what = format!("{} JPEG", kind.words());
        figures::at_most(&format!("{what}, processor time each"), cpu, cpu_s, "s");
        figures::at_least(&format!("{what}, until all is derived"), speed, per_second, "a second");
    }
    server.terminate().await?;
    Ok(())
}

/// Processor seconds each, and files a second.
async fn round(
    server: &TestServer,
    admin: &Client,
    kind: Kind,
    files: usize,
    mark: &str,
) -> anyhow::Result<(f64, f64)> {
    let pictures: Vec<Vec<u8>> =
        (0..DIFFERENT).map(|seed| synthesize(kind, seed)).collect::<Result<_, _>>()?;
    let uploads: Vec<Upload> = (0..files)
        .zip(pictures.iter().cycle())
        .map(|(number, picture)| {
            let comment = format!("{mark} {number}");
            Upload::new(&format!("{number}.jpg"), with_comment(picture, &comment))
        })
        .collect();
    let before = Used::by(server)?;
    let begun = Instant::now();
    import::import(admin, uploads, &AtomicUsize::new(0)).await?;
    admin.wait_until_idle().await?;
    let took = begun.elapsed();
    let used = Used::by(server)?.since(before);
    Ok((used.as_secs_f64() / count(files), count(files) / took.as_secs_f64()))
}
