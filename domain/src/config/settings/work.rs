//! Settings of work in the background.

use crate::config::shape::{Group, Kind, SAFE_MAX, field};

const DATABASE_BACKUP_CONFIG: Group = Group {
    schema: "DatabaseBackupConfig",
    fields: &[
        field("enabled", Kind::Bool(true)),
        field("cronExpression", Kind::Cron("0 02 * * *")),
        field("keepLastAmount", Kind::Int(1, SAFE_MAX, 14)),
    ],
};

pub(super) const BACKUPS: Group = Group {
    schema: "SystemConfigBackupsDto",
    fields: &[field("database", Kind::Group(&DATABASE_BACKUP_CONFIG))],
};

const INTEGRITY_JOB_MISSING_FILES: Group = Group {
    schema: "SystemConfigIntegrityJob",
    fields: &[
        field("enabled", Kind::Bool(true)),
        field("cronExpression", Kind::Cron("0 03 * * *")),
    ],
};

const INTEGRITY_JOB_UNTRACKED_FILES: Group = Group {
    schema: "SystemConfigIntegrityJob",
    fields: &[
        field("enabled", Kind::Bool(true)),
        field("cronExpression", Kind::Cron("0 03 * * *")),
    ],
};

const INTEGRITY_CHECKSUM_JOB: Group = Group {
    schema: "SystemConfigIntegrityChecksumJob",
    fields: &[
        field("enabled", Kind::Bool(true)),
        field("cronExpression", Kind::Cron("0 03 * * *")),
        field("timeLimit", Kind::Int(0, SAFE_MAX, 3_600_000)),
        field("percentageLimit", Kind::Number(0.0, 1.0, 1.0)),
    ],
};

pub(super) const INTEGRITY_CHECKS: Group = Group {
    schema: "SystemConfigIntegrityChecks",
    fields: &[
        field("missingFiles", Kind::Group(&INTEGRITY_JOB_MISSING_FILES)),
        field("untrackedFiles", Kind::Group(&INTEGRITY_JOB_UNTRACKED_FILES)),
        field("checksumFiles", Kind::Group(&INTEGRITY_CHECKSUM_JOB)),
    ],
};

const JOB_SETTINGS_5: Group =
    Group { schema: "JobSettingsDto", fields: &[field("concurrency", Kind::Int(1, SAFE_MAX, 5))] };

const JOB_SETTINGS_2: Group =
    Group { schema: "JobSettingsDto", fields: &[field("concurrency", Kind::Int(1, SAFE_MAX, 2))] };

const JOB_SETTINGS_3: Group =
    Group { schema: "JobSettingsDto", fields: &[field("concurrency", Kind::Int(1, SAFE_MAX, 3))] };

const JOB_SETTINGS_1: Group =
    Group { schema: "JobSettingsDto", fields: &[field("concurrency", Kind::Int(1, SAFE_MAX, 1))] };

pub(super) const JOB: Group = Group {
    schema: "SystemConfigJobDto",
    fields: &[
        field("backgroundTask", Kind::Group(&JOB_SETTINGS_5)),
        field("smartSearch", Kind::Group(&JOB_SETTINGS_2)),
        field("metadataExtraction", Kind::Group(&JOB_SETTINGS_5)),
        field("faceDetection", Kind::Group(&JOB_SETTINGS_2)),
        field("search", Kind::Group(&JOB_SETTINGS_5)),
        field("sidecar", Kind::Group(&JOB_SETTINGS_5)),
        field("library", Kind::Group(&JOB_SETTINGS_5)),
        field("migration", Kind::Group(&JOB_SETTINGS_5)),
        field("thumbnailGeneration", Kind::Group(&JOB_SETTINGS_3)),
        field("videoConversion", Kind::Group(&JOB_SETTINGS_1)),
        field("notifications", Kind::Group(&JOB_SETTINGS_5)),
        field("ocr", Kind::Group(&JOB_SETTINGS_1)),
        field("workflow", Kind::Group(&JOB_SETTINGS_5)),
        field("integrityCheck", Kind::Group(&JOB_SETTINGS_1)),
        field("editor", Kind::Group(&JOB_SETTINGS_2)),
    ],
};

pub(super) const NIGHTLY_TASKS: Group = Group {
    schema: "SystemConfigNightlyTasksDto",
    fields: &[
        field("startTime", Kind::Time("00:00")),
        field("databaseCleanup", Kind::Bool(true)),
        field("generateMemories", Kind::Bool(true)),
        field("syncQuotaUsage", Kind::Bool(true)),
        field("missingThumbnails", Kind::Bool(true)),
        field("clusterNewFaces", Kind::Bool(true)),
    ],
};

const LIBRARY_SCAN: Group = Group {
    schema: "SystemConfigLibraryScanDto",
    fields: &[field("enabled", Kind::Bool(true)), field("cronExpression", Kind::Cron("0 0 * * *"))],
};

const LIBRARY_WATCH: Group =
    Group { schema: "SystemConfigLibraryWatchDto", fields: &[field("enabled", Kind::Bool(false))] };

pub(super) const LIBRARY: Group = Group {
    schema: "SystemConfigLibraryDto",
    fields: &[
        field("scan", Kind::Group(&LIBRARY_SCAN)),
        field("watch", Kind::Group(&LIBRARY_WATCH)),
    ],
};
