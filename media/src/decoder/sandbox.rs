//! Limits and the seccomp filter that a child puts on itself before it sees foreign bytes.
//!
//! The filter denies what a decoder never needs: network, new programs, other processes, writing
//! to the file system. It is a list of what is forbidden, not of what is allowed, because libc and
//! the codecs change what they call; memory, time and open files are bounded by resource limits.

use std::{collections::BTreeMap, io};

use rlimit::Resource;
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule,
};

use crate::limits::DECODER_FILES_MAX;

/// What a process may use.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// Address space in bytes.
    pub(super) memory_bytes: u64,
    /// Processor time in seconds, now and at most.
    pub(super) cpu_seconds: (u64, u64),
}

/// What the process still has to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// Read files and answer on stdout.
    Decode,
    /// Become another program, which may start threads and write files.
    Exec,
}

pub(super) fn limit(limits: Limits) -> io::Result<()> {
    // For this process and all it starts; Landlock and the filter need it, and it holds without them.
    rustix::thread::set_no_new_privs(true)?;
    Resource::CORE.set(0, 0)?;
    Resource::AS.set(limits.memory_bytes, limits.memory_bytes)?;
    Resource::NOFILE.set(DECODER_FILES_MAX, DECODER_FILES_MAX)?;
    limit_cpu(limits.cpu_seconds.0, limits.cpu_seconds.1)
}

/// Processor time is counted over the life of the process, so the soft limit moves with each job.
pub(super) fn limit_cpu(soft_seconds: u64, hard_seconds: u64) -> io::Result<()> {
    Resource::CPU.set(soft_seconds.min(hard_seconds), hard_seconds)
}

/// Puts the filter in force for this thread and all that it will start. It cannot be taken off.
pub(super) fn filter(role: Role) -> Result<(), Box<dyn std::error::Error>> {
    let denied = program(denied(role)?, libc::EPERM)?;
    // Callers fall back to the older calls, whose arguments the filter can see.
    let absent = program(calls(&[libc::SYS_clone3, libc::SYS_openat2]), libc::ENOSYS)?;
    seccompiler::apply_filter(&denied)?;
    if role == Role::Decode {
        seccompiler::apply_filter(&absent)?;
    }
    Ok(())
}

type Rules = BTreeMap<i64, Vec<SeccompRule>>;

fn program(rules: Rules, errno: i32) -> Result<BpfProgram, Box<dyn std::error::Error>> {
    let action = SeccompAction::Errno(errno.unsigned_abs());
    let arch = std::env::consts::ARCH.try_into()?;
    Ok(SeccompFilter::new(rules, SeccompAction::Allow, action, arch)?.try_into()?)
}

fn calls(numbers: &[i64]) -> Rules {
    numbers.iter().map(|it| (*it, Vec::new())).collect()
}

fn denied(role: Role) -> Result<Rules, Box<dyn std::error::Error>> {
    let mut rules = calls(&[
        libc::SYS_socket,
        libc::SYS_socketpair,
        libc::SYS_connect,
        libc::SYS_bind,
        libc::SYS_listen,
        libc::SYS_accept,
        libc::SYS_accept4,
        libc::SYS_ptrace,
        libc::SYS_process_vm_readv,
        libc::SYS_process_vm_writev,
        libc::SYS_pidfd_open,
        libc::SYS_pidfd_getfd,
        libc::SYS_kill,
        libc::SYS_mount,
        libc::SYS_umount2,
        libc::SYS_pivot_root,
        libc::SYS_chroot,
        libc::SYS_setns,
        libc::SYS_unshare,
        libc::SYS_bpf,
        libc::SYS_perf_event_open,
        libc::SYS_io_uring_setup,
        libc::SYS_userfaultfd,
        libc::SYS_keyctl,
        libc::SYS_add_key,
        libc::SYS_request_key,
        libc::SYS_init_module,
        libc::SYS_finit_module,
        libc::SYS_kexec_load,
        libc::SYS_reboot,
        libc::SYS_mknodat,
        libc::SYS_setxattr,
        libc::SYS_memfd_create,
    ]);
    if role == Role::Decode {
        rules.append(&mut calls(&[
            libc::SYS_execve,
            libc::SYS_execveat,
            libc::SYS_unlinkat,
            libc::SYS_renameat,
            libc::SYS_renameat2,
            libc::SYS_linkat,
            libc::SYS_symlinkat,
            libc::SYS_mkdirat,
            libc::SYS_truncate,
            libc::SYS_ftruncate,
            libc::SYS_fchmod,
            libc::SYS_fchmodat,
            libc::SYS_fchownat,
            libc::SYS_utimensat,
        ]));
        rules.append(&mut old_calls());
        // A process that is not a thread of this one.
        let thread = u64::try_from(libc::CLONE_THREAD)?;
        rules.insert(libc::SYS_clone, vec![masked(0, thread, 0)?]);
        // Opening for writing, in any form.
        rules.insert(libc::SYS_openat, writing(2)?);
    }
    Ok(rules)
}

/// Calls that newer architectures no longer have.
#[cfg(target_arch = "x86_64")]
fn old_calls() -> Rules {
    let mut rules = calls(&[
        libc::SYS_fork,
        libc::SYS_vfork,
        libc::SYS_creat,
        libc::SYS_unlink,
        libc::SYS_rename,
        libc::SYS_link,
        libc::SYS_symlink,
        libc::SYS_mkdir,
        libc::SYS_rmdir,
        libc::SYS_chmod,
        libc::SYS_chown,
        libc::SYS_lchown,
        libc::SYS_mknod,
    ]);
    if let Ok(rule) = writing(1) {
        rules.insert(libc::SYS_open, rule);
    }
    rules
}

#[cfg(not(target_arch = "x86_64"))]
fn old_calls() -> Rules {
    Rules::new()
}

fn writing(argument: u8) -> Result<Vec<SeccompRule>, Box<dyn std::error::Error>> {
    let flag = |value: i32| u64::try_from(value);
    let access = flag(libc::O_ACCMODE)?;
    Ok(vec![
        masked(argument, access, flag(libc::O_WRONLY)?)?,
        masked(argument, access, flag(libc::O_RDWR)?)?,
        masked(argument, flag(libc::O_CREAT)?, flag(libc::O_CREAT)?)?,
    ])
}

fn masked(argument: u8, mask: u64, value: u64) -> Result<SeccompRule, Box<dyn std::error::Error>> {
    let operator = SeccompCmpOp::MaskedEq(mask);
    let condition = SeccompCondition::new(argument, SeccompCmpArgLen::Dword, operator, value)?;
    Ok(SeccompRule::new(vec![condition])?)
}
