//! What a plan keeps, and what it finds changed.

use std::path::Path;

use super::*;
use crate::scan::scan;
use crate::scan::tests::args;

/// What the server would say is left out: nothing is there.
async fn planned(args: &ImportArgs) -> Plan {
    let mut entries = Vec::new();
    for entry in scan(args).entries {
        entries.push(read_one(entry).await.0);
    }
    let files = entries.iter().map(Planned::of).collect();
    let paths = args.paths.iter().map(|it| it.display().to_string()).collect();
    Plan { version: VERSION, paths, options: options_of(args), sources: Vec::new(), files }
}

#[tokio::test]
async fn plan_is_done_as_far_as_nothing_has_changed_since() {
    let folder = tempfile::tempdir().unwrap();
    let (photos, file) = (folder.path().join("photos"), folder.path().join("plan.json"));
    std::fs::create_dir(&photos).unwrap();
    let write = |name: &str, text: &str| std::fs::write(photos.join(name), text).unwrap();
    for name in ["a.jpg", "b.jpg", "c.jpg"] {
        write(name, name);
    }
    let args = args(&photos, &["--album", "All", "--tag", "x", "--source", "folders"]);
    saved::save(planned(&args).await, &args, &file).unwrap();

    std::fs::remove_file(photos.join("a.jpg")).unwrap();
    write("b.jpg", "longer than before");
    write("d.jpg", "d");
    let mut later = crate::scan::tests::args(Path::new("elsewhere"), &[]);
    let plan = read(&file, &mut later).unwrap();
    assert_eq!(options_of(&later), options_of(&args));
    assert_eq!(later.paths, args.paths);
    let mut found = scan(&later);
    let since = saved::compare(&plan, &mut found);
    let names = |paths: &[String]| {
        let name = |path: &String| Path::new(path).file_name().unwrap().display().to_string();
        paths.iter().map(name).collect::<Vec<_>>()
    };
    assert_eq!(names(&since.gone), ["a.jpg"]);
    assert_eq!(names(&since.changed), ["b.jpg"]);
    assert_eq!(names(&since.new), ["d.jpg"]);
    assert_eq!(crate::scan::tests::names(&found), ["c.jpg"]);
    assert!(found.entries[0].file.digests.is_some());
}

#[tokio::test]
async fn plan_says_where_dates_come_from_and_which_names_clash() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["a/IMG_20200102_030405.jpg", "b/x.jpg", "c/x.jpg"] {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, name).unwrap();
    }
    let args = args(folder.path(), &["--album", "All"]);
    let plan = planned(&args).await;
    let guesses: Vec<_> = plan.files.iter().map(|it| it.date_guess.as_deref().unwrap()).collect();
    let (name, time) = ("the date in its name", "the file's last change");
    assert_eq!(guesses, [name, time, time]);
    assert_eq!(plan.files[0].date.unwrap().to_rfc3339(), "2020-01-02T03:04:05+00:00");
    let clashes = clashes(&scan(&args).entries);
    let has_clash: Vec<_> = plan.files.iter().map(|it| clashes.contains_key(&it.key)).collect();
    assert_eq!(has_clash, [false, true, true]);
}
