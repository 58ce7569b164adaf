//! The lock on the decoders' room: what a child may not do, seen from outside.

use std::{
    fs,
    io::Read as _,
    net::TcpListener,
    process::{Command, Stdio},
};

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
