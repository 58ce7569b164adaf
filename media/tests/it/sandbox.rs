//! The lock on the decoders' room: what a child may not do, seen from outside.

use std::{
    fs,
    io::Read as _,
    net::TcpListener,
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};

use crate::{
    broken::EVERYTHING,
    support::{media_folder, pool, pool_config},
};
use calotype_media::decoder::{DecodeError, DecoderPool, Job, PoolConfig, Walls, Want, examine};

const DECODER: &str = env!("CARGO_BIN_EXE_calotype-decoder");

#[test]
fn a_child_runs_with_limits_and_filter() {
    let mut child = Command::new(DECODER)
        .args(["--memory", "500000000"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the decoder");
    // Its first message says that everything is in force.
    let mut hello = [0; 8];
    child.stdout.take().expect("a pipe").read_exact(&mut hello).expect("a message");
    let about =
        |name: &str| fs::read_to_string(format!("/proc/{}/{name}", child.id())).expect(name);
    let (status, limits) = (about("status"), about("limits"));
    child.kill().expect("it runs");
    child.wait().expect("it ends");
    assert!(status.contains("NoNewPrivs:\t1"), "{status}");
    assert!(status.contains("Seccomp:\t2"), "{status}");
    let line = |name: &str| {
        limits
            .lines()
            .find(|it| it.starts_with(name))
            .expect(name)
            .split_whitespace()
            .collect::<Vec<_>>()
    };
    assert_eq!(line("Max address space")[3], "500000000");
    assert_eq!(line("Max core file size")[4], "0");
}

#[test]
fn other_programs_have_no_network() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let connect = format!("exec 3<>/dev/tcp/127.0.0.1/{port}");
    let free = Command::new("bash").args(["-c", &connect]).status().expect("bash");
    assert!(free.success(), "the port is not there at all");
    let locked = Command::new(DECODER)
        .args(["--exec", "bash", "-c", &connect])
        .stderr(Stdio::null())
        .status()
        .expect("the decoder");
    assert_eq!(locked.code(), Some(1), "bash reached the network");
}

#[test]
fn other_programs_have_a_limit_of_memory() {
    let output = Command::new(DECODER)
        .args(["--memory", "1073741824", "--exec", "bash", "-c", "ulimit -v; ulimit -c"])
        .output()
        .expect("the decoder");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "1048576\n0\n");
}

#[test]
fn nonsense_arguments_are_refused() {
    for args in [&["--memory"][..], &["--exec"], &["--what", "1"], &["--cpu", "x"]] {
        let status =
            Command::new(DECODER).args(args).stdin(Stdio::null()).status().expect("it runs");
        assert_eq!(status.code(), Some(70), "{args:?}");
    }
}

#[tokio::test]
async fn what_may_not_be_done_cannot_be_done() {
    let found = examine(&pool_config()).await.expect("the decoder answers");
    let where_known = |could: &[_]| {
        // Without these locks in the kernel there is nothing to test but that it is told.
        (found.filtered && found.walls == Walls::Whole).then_some(could.is_empty())
    };
    assert_ne!(where_known(&found.decoder), Some(false), "a decoder could {:?}", found.decoder);
    assert_ne!(where_known(&found.programs), Some(false), "ffmpeg could {:?}", found.programs);
    // The attempts are real: without the locks all of them go through.
    let free = Command::new(DECODER).arg("--attempt").output().expect("the decoder");
    let could = String::from_utf8_lossy(&free.stdout).into_owned();
    for what in ["read_any_file", "write_any_file", "reach_the_network", "reach_a_socket"] {
        assert!(could.contains(what), "nobody may {what}: {could}");
    }
}

#[tokio::test]
async fn a_child_opens_the_files_of_one_group_only() {
    let (one, other) = (uuid::Uuid::from_u128(1), uuid::Uuid::from_u128(2));
    let source = media_folder().join("photos/edge/one_pixel.png");
    let want = Want { metadata: true, images: None };
    let job = Job { source, sidecar: None, want };
    let pool = DecoderPool::new(PoolConfig { children_max: 2, ..pool_config() });
    for (group, children) in [(one, 1), (one, 1), (other, 2), (one, 2), (other, 2)] {
        pool.apart(group).run(&job).await.expect("it answers");
        assert_eq!(pool.idle_children(), children, "after {group}");
    }
    // A third one has no place beside them: that which waited longest goes.
    pool.apart(uuid::Uuid::from_u128(3)).run(&job).await.expect("it answers");
    assert_eq!(pool.idle_children(), 2);
    let alone = DecoderPool::new(PoolConfig { children_max: 1, ..pool_config() });
    for group in [one, other, one] {
        alone.apart(group).run(&job).await.expect("it answers");
        assert_eq!(alone.idle_children(), 1, "after {group}");
    }
}

#[tokio::test]
async fn what_a_file_says_is_told_apart_in_a_child() {
    let path = media_folder().join("photos/jpeg/apple_iphone_5_orientation3_gps.jpg");
    let file = fs::File::open(&path).expect("a photo");
    let plan = pool().strip(&file).await.expect("a child").expect("a plan");
    let length = plan.length();
    let mut bare = Vec::new();
    plan.read(file).read_to_end(&mut bare).expect("it is read");
    assert_eq!(u64::try_from(bare.len()).expect("a length"), length);
    assert!(fs::metadata(&path).expect("a file").len() > length, "nothing was left out");
    assert!(!bare.windows(5).any(|it| it == b"Apple"), "it tells its camera");
    image::load_from_memory(&bare).expect("it shows its picture");
    let text = fs::File::open(media_folder().join("manifest.csv")).expect("a list");
    assert_eq!(pool().strip(&text).await.expect("a child"), None);
}

/// Whether the kernel lets a program be kept to its files.
fn has_walls() -> bool {
    let told = Command::new(DECODER).arg("--examine").output().expect("the decoder").stdout;
    !String::from_utf8_lossy(&told).contains("\"walls\":\"None\"")
}

fn locked(args: &[&Path], command: &str) -> bool {
    Command::new(DECODER)
        .args(args)
        .args(["--exec", "bash", "-c", command])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .expect("the decoder")
        .success()
}

#[test]
fn other_programs_see_their_own_files_and_no_others() {
    if !has_walls() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name);
    for name in ["mine", "other", "made"] {
        fs::write(path(name), name).expect("a file");
    }
    fs::create_dir(path("notes")).expect("a folder");
    let [mine, other, made, notes] = ["mine", "other", "made", "notes"].map(path);
    let open =
        [Path::new("--read"), &mine, Path::new("--write"), &made, Path::new("--write"), &notes];
    let can = |command: String| locked(&open, &command);
    assert!(can(format!("read -r it < {0} || [ $it = mine ]", mine.display())));
    assert!(!can(format!("read -r it < {0} || [ $it = other ]", other.display())));
    assert!(can(format!("echo written > {}", made.display())));
    assert!(can(format!("echo written > {0}/a && mv {0}/a {0}/b", notes.display())));
    assert!(!can(format!("echo written > {}", mine.display())), "it wrote to what it reads");
    assert!(!can(format!("echo written > {}", path("new").display())), "it made a file");
    assert!(!can(format!("rm {}", made.display())), "it removed a file");
    assert!(!can("read -r it < /etc/passwd".to_owned()), "it read another file");
    assert_eq!(fs::read_to_string(&made).expect("the file"), "written\n");
    assert_eq!(fs::read_to_string(notes.join("b")).expect("the file"), "written\n");
}

#[test]
fn other_programs_gain_no_rights() {
    let own = "while read -r line; do [[ $line == NoNewPrivs:*1 ]] && exit 0; done \
               < /proc/self/status; exit 1";
    assert!(locked(&[], own));
}

fn good() -> Job {
    let source = media_folder().join("photos/nature/prairie_falcon.jpg");
    Job { source, sidecar: None, want: EVERYTHING }
}

#[tokio::test]
async fn a_pool_has_no_more_children_than_it_may() {
    let mut config = pool_config();
    config.children_max = 2;
    let pool = DecoderPool::new(config);
    let job = good();
    let mut runs = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let (pool, job) = (pool.clone(), job.clone());
        runs.spawn(async move { pool.run(&job).await });
    }
    for run in runs.join_all().await {
        run.expect("a good picture");
    }
    // Whoever has worked waits for more, so this is all there ever were.
    assert!((1..=2).contains(&pool.idle_children()), "{} children", pool.idle_children());
}

#[tokio::test]
async fn a_child_that_was_killed_is_replaced() {
    let pool = DecoderPool::new(pool_config());
    pool.run(&good()).await.expect("a good picture");
    let mine = format!("PPid:\t{}\n", std::process::id());
    let children: Vec<u32> = fs::read_dir("/proc")
        .expect("processes")
        .flatten()
        .filter_map(|it| it.file_name().to_str()?.parse().ok())
        .filter(|pid| {
            let about = |name| fs::read_to_string(format!("/proc/{pid}/{name}"));
            about("status").is_ok_and(|it| it.contains(&mine) && it.contains("calotype-decode"))
        })
        .collect();
    assert_eq!(children.len(), 1);
    let killed = Command::new("kill").args(["-9", &children[0].to_string()]).status();
    assert!(killed.expect("kill").success());
    tokio::time::timeout(Duration::from_secs(20), async {
        while pool.idle_children() > 0 {
            tokio::task::yield_now().await;
        }
    })
    .await
    .expect("the pool sees that it is gone");
    pool.run(&good()).await.expect("another child does it");
}

#[tokio::test]
async fn a_named_pipe_is_not_waited_for() {
    let folder = tempfile::tempdir().expect("a folder");
    let source = folder.path().join("pipe");
    let made = Command::new("mkfifo").arg(&source).status().expect("mkfifo");
    assert!(made.success());
    let pool = DecoderPool::new(pool_config());
    let job = Job { source, ..good() };
    let answer = tokio::time::timeout(Duration::from_secs(10), pool.run(&job)).await;
    let error = answer.expect("an answer").expect_err("no regular file");
    assert!(matches!(error, DecodeError::Unreadable { .. }), "{error:?}");
}
