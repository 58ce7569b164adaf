//! Makes preview, thumbnail and thumbhash of pictures on one thread and prints the cost.
//!
//! `thumbs [--out FOLDER] REPEATS FILE...`: processor milliseconds a file (all work: reading,
//! metadata, decode, three outputs), bytes and sizes of the outputs, and the peak memory.
//! Run it with `GLIBC_TUNABLES` set to
//! [`calotype_media::decoder::MALLOC_TUNABLES`], as the pool runs its children.

use std::{error::Error, path::PathBuf};

use calotype_media::{
    decoder::{Job, Want, process},
    image::ImageWish,
};
use rustix::time::{ClockId, clock_gettime};

#[expect(clippy::print_stdout, reason = "a measuring program prints what it measured")]
fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1).peekable();
    let mut out = None;
    if args.next_if(|it| it == "--out").is_some() {
        out = args.next().map(PathBuf::from);
    }
    let repeats: u32 = args.next().ok_or("how often?")?.parse()?;
    for file in args {
        let source = PathBuf::from(&file);
        let want = Want { metadata: true, images: Some(ImageWish::default()) };
        let job = Job { source: source.clone(), sidecar: None, want };
        let mut times_ms = Vec::new();
        let mut last = None;
        for _ in 0..repeats {
            let before = cpu_ms();
            last = Some(process(&job));
            times_ms.push(cpu_ms() - before);
        }
        times_ms.sort_by(f64::total_cmp);
        let median = times_ms.get(times_ms.len() / 2).copied().unwrap_or(0.0);
        let best = times_ms.first().copied().unwrap_or(0.0);
        let name = source.file_name().unwrap_or_default().to_string_lossy().into_owned();
        match last {
            Some(Ok(report)) => match report.images {
                Some(Ok(it)) => {
                    println!(
                        "{name}: {median:.1} ms (best {best:.1}); preview {}x{} {} B, thumbnail {}x{} {} B",
                        it.preview.width,
                        it.preview.height,
                        it.preview.bytes.len(),
                        it.thumbnail.width,
                        it.thumbnail.height,
                        it.thumbnail.bytes.len(),
                    );
                    if let Some(folder) = &out {
                        std::fs::write(
                            folder.join(format!("{name}.preview.jpg")),
                            &it.preview.bytes,
                        )?;
                        std::fs::write(
                            folder.join(format!("{name}.thumb.webp")),
                            &it.thumbnail.bytes,
                        )?;
                    }
                }
                other => println!("{name}: {other:?}"),
            },
            other => println!("{name}: {other:?}"),
        }
    }
    let status = std::fs::read_to_string("/proc/self/status")?;
    println!("peak memory: {}", status.lines().find(|it| it.starts_with("VmHWM")).unwrap_or("?"));
    Ok(())
}

fn cpu_ms() -> f64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    std::time::Duration::new(
        u64::try_from(time.tv_sec).unwrap_or(0),
        u32::try_from(time.tv_nsec).unwrap_or(0),
    )
    .as_secs_f64()
        * 1000.0
}
