//! Landlock: which files a child may open at all, whatever the rights of its user.
//!
//! A decoder gets its files open from its parent ([`super::handed`]) and needs none of its own but
//! the machine's fonts. Other programs need their libraries, the one file they read and the one
//! place they write to. Where the kernel has no Landlock, the child goes on without and says so.

use std::{
    ffi::OsStr,
    path::{Path, PathBuf},
};

use landlock::{
    ABI, Access as _, AccessFs, AccessNet, BitFlags, Ruleset, RulesetAttr as _,
    RulesetCreatedAttr as _, RulesetError, RulesetStatus, Scope, path_beneath_rules,
};
use serde::{Deserialize, Serialize};

/// The rights that are asked for (Linux 6.12). Older kernels enforce those of them that they know.
const RIGHTS: ABI = ABI::V6;

/// Where `fontdb` looks for fonts.
const FONTS: [&str; 2] = ["/usr/share/fonts", "/usr/local/share/fonts"];

/// Programs and their libraries.
const PROGRAMS: [&str; 9] =
    ["/usr", "/lib", "/lib32", "/lib64", "/libx32", "/bin", "/sbin", "/nix/store", "/gnu/store"];

/// What the loader, libc and codecs ask of the machine.
const MACHINE: [&str; 20] = [
    "/etc/ld.so.cache",
    "/etc/ld.so.conf",
    "/etc/ld.so.conf.d",
    "/etc/ld.so.preload",
    "/etc/ld-musl-x86_64.path",
    "/etc/ld-musl-aarch64.path",
    "/etc/fonts",
    "/etc/localtime",
    "/var/cache/fontconfig",
    "/dev/random",
    "/dev/urandom",
    "/dev/zero",
    "/proc/self",
    "/proc/cpuinfo",
    "/proc/meminfo",
    "/proc/stat",
    "/proc/sys/vm",
    "/sys/devices/system",
    "/sys/fs/cgroup",
    "/sys/kernel/mm",
];

/// What drivers of video hardware ask for besides.
const DRIVERS: [&str; 6] =
    ["/etc/OpenCL", "/etc/glvnd", "/etc/vulkan", "/proc/driver", "/proc/devices", "/sys"];

/// What a driver is reached by in `/dev`; see `docs/operating.md`, which says the same.
enum Device {
    /// One file, or a folder with all in it.
    Named(&'static str),
    /// Files whose names end in a number.
    Numbered(&'static str),
}

/// The devices of the four ways to encode in hardware; nothing else in `/dev` is open to an encoder.
const DEVICES: [Device; 10] = [
    // VAAPI and Quick Sync: `card*` and `renderD*`.
    Device::Named("dri"),
    // NVENC.
    Device::Numbered("nvidia"),
    Device::Named("nvidiactl"),
    Device::Named("nvidia-uvm"),
    Device::Named("nvidia-modeset"),
    Device::Named("nvidia-caps"),
    // RKMPP: encoder, scaler, processor of pictures, and the memory they share.
    Device::Named("mpp_service"),
    Device::Named("rga"),
    Device::Numbered("mali"),
    Device::Named("dma_heap"),
];

/// Folders beside that of a program where its libraries lie.
const BESIDE_PROGRAM: [&str; 4] = ["lib", "lib64", "libexec", "share"];

/// How much of the walls the kernel put up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Walls {
    /// All of them.
    Whole,
    /// Those that an older kernel knows; files are among them.
    InPart,
    /// None: the kernel has no Landlock, or a container keeps it away.
    None,
}

/// What stays open.
#[derive(Debug, Default)]
pub(super) struct Openings {
    /// Read, and run.
    runs: Vec<PathBuf>,
    reads: Vec<PathBuf>,
    /// Read and write; in a folder, make and remove files too.
    writes: Vec<PathBuf>,
    devices: Vec<PathBuf>,
}

impl Openings {
    /// Those of a decoder.
    pub(super) fn of_decoder() -> Self {
        Self { reads: FONTS.iter().map(PathBuf::from).collect(), ..Self::default() }
    }

    /// Those of another program.
    pub(super) fn of_program(
        program: &OsStr,
        reads: Vec<PathBuf>,
        mut writes: Vec<PathBuf>,
        is_hardware: bool,
    ) -> Self {
        let mut runs: Vec<PathBuf> = PROGRAMS.iter().map(PathBuf::from).collect();
        runs.extend(located(program).iter().flat_map(|it| around(it)));
        // The loader obeys it, so whoever starts the server has named these folders.
        runs.extend(std::env::var_os("LD_LIBRARY_PATH").iter().flat_map(std::env::split_paths));
        let mut open = Self { runs, reads, ..Self::default() };
        open.reads.extend(MACHINE.iter().map(PathBuf::from));
        writes.push(PathBuf::from("/dev/null"));
        open.writes = writes;
        if is_hardware {
            open.reads.extend(DRIVERS.iter().map(PathBuf::from));
            open.devices = devices();
        }
        open
    }
}

/// Puts walls around this process and all that it will start. They cannot be taken down.
pub(super) fn raise(open: &Openings) -> Walls {
    match enforce(open) {
        Ok(RulesetStatus::FullyEnforced) => Walls::Whole,
        Ok(RulesetStatus::PartiallyEnforced) => Walls::InPart,
        Ok(RulesetStatus::NotEnforced) | Err(_) => Walls::None,
    }
}

fn enforce(open: &Openings) -> Result<RulesetStatus, RulesetError> {
    let reads = AccessFs::ReadFile | AccessFs::ReadDir;
    let writes = reads
        | AccessFs::WriteFile
        | AccessFs::Truncate
        | AccessFs::MakeReg
        | AccessFs::MakeDir
        | AccessFs::RemoveFile
        | AccessFs::RemoveDir;
    let devices: BitFlags<AccessFs> = reads | AccessFs::WriteFile | AccessFs::IoctlDev;
    // A path that is not there opens nothing, and is passed over.
    let status = Ruleset::default()
        .handle_access(AccessFs::from_all(RIGHTS))?
        .handle_access(AccessNet::from_all(RIGHTS))?
        .scope(Scope::from_all(RIGHTS))?
        .create()?
        .add_rules(path_beneath_rules(&open.runs, AccessFs::from_read(RIGHTS)))?
        .add_rules(path_beneath_rules(&open.reads, reads))?
        .add_rules(path_beneath_rules(&open.writes, writes))?
        .add_rules(path_beneath_rules(&open.devices, devices))?
        .restrict_self()?;
    Ok(status.ruleset)
}

/// Where a program lies, as the search path finds it, without links.
fn located(program: &OsStr) -> Option<PathBuf> {
    let path = Path::new(program);
    if path.components().count() > 1 {
        return path.canonicalize().ok();
    }
    let folders = std::env::var_os("PATH")?;
    std::env::split_paths(&folders).find_map(|it| it.join(path).canonicalize().ok())
}

/// A program that is installed apart from the others, with its libraries.
fn around(program: &Path) -> Vec<PathBuf> {
    let mut around = vec![program.to_owned()];
    if let Some(prefix) = program.parent().and_then(Path::parent) {
        around.extend(BESIDE_PROGRAM.iter().map(|it| prefix.join(it)));
    }
    around
}

fn devices() -> Vec<PathBuf> {
    let entries = std::fs::read_dir("/dev").into_iter().flatten().flatten();
    let open = entries.filter(|it| it.file_name().to_str().is_some_and(is_of_hardware));
    open.map(|it| it.path()).collect()
}

/// Whether what has this name in `/dev` is open to an encoder in hardware.
fn is_of_hardware(name: &str) -> bool {
    DEVICES.iter().any(|device| match device {
        Device::Named(known) => name == *known,
        Device::Numbered(start) => name.strip_prefix(start).is_some_and(|number| {
            !number.is_empty() && number.bytes().all(|it| it.is_ascii_digit())
        }),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_are_found_as_the_search_path_finds_them() {
        let shell = located(OsStr::new("sh")).expect("a shell");
        assert!(shell.is_absolute() && shell.exists());
        assert_eq!(located(shell.as_os_str()), Some(shell));
        assert_eq!(located(OsStr::new("there-is-no-such-program")), None);
    }

    #[test]
    fn an_encoder_sees_the_devices_that_encode_and_no_others() {
        for name in ["dri", "nvidia0", "nvidia12", "nvidiactl", "nvidia-uvm", "mali0", "rga"] {
            assert!(is_of_hardware(name), "{name}");
        }
        for name in
            ["", "nvidia", "nvidia0p1", "nvidia-fs", "video0", "media0", "sda", "mem", "rga2"]
        {
            assert!(!is_of_hardware(name), "{name}");
        }
    }

    #[test]
    fn a_program_elsewhere_brings_its_libraries() {
        let around = around(Path::new("/opt/films/bin/ffmpeg"));
        assert!(around.contains(&PathBuf::from("/opt/films/bin/ffmpeg")));
        assert!(around.contains(&PathBuf::from("/opt/films/lib")));
        assert!(!around.contains(&PathBuf::from("/opt/films")));
    }
}
