//! `calotype people` of a running server: comparing all faces anew, what that would change, agreeing to it or not, and
//! saying whose a face is not.

use std::time::Duration;

use anyhow::{Context as _, bail};
use clap::Subcommand;
use reqwest::Method;
use serde_json::Value;
use uuid::Uuid;

use super::models::{identity, print_faces, text};
use super::{Remote, Target, say};

const PATH: &str = "/calotype/people/reclustering";
/// How often a proposal is looked at that is waited for.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// `calotype people …`
#[derive(Clone, Debug, Subcommand)]
pub enum People {
    /// Compare all faces anew by the model in use, and keep the outcome for somebody to agree to.
    Recluster {
        /// Wait until all libraries are compared.
        #[arg(long)]
        wait: bool,
    },
    /// Say what would change.
    Diff {
        /// How many examples of each kind.
        #[arg(long, value_name = "N")]
        examples: Option<u32>,
        /// As JSON instead of text.
        #[arg(long)]
        json: bool,
    },
    /// Record what is proposed, as far as nobody said anything else since.
    Apply {
        /// The proposal, as `diff` names it; the last one when left out.
        id: Option<Uuid>,
        /// Wait until all of it is recorded.
        #[arg(long)]
        wait: bool,
    },
    /// Forget what is proposed.
    Discard {
        /// The proposal, as `diff` names it; the last one when left out.
        id: Option<Uuid>,
    },
    /// Say that faces are not a person's, with a key of whoever has both. No later run gives them back.
    Reject {
        /// The person.
        person: Uuid,
        /// The faces, as `diff --json` names them.
        #[arg(required = true)]
        faces: Vec<Uuid>,
    },
}

/// Asks a running server and tells what it says.
///
/// # Errors
/// There is no server to ask, or it refuses.
pub async fn people(target: &Target, command: People) -> anyhow::Result<()> {
    let server = target
        .server()
        .context("people are the matter of a running server: say --server URL and --api-key KEY")?;
    let remote = Remote::new(server, target)?;
    match command {
        People::Recluster { wait } => {
            let begun = remote.call(Method::POST, PATH, None).await?;
            print(&if wait { until_not(&remote, &begun, "comparing").await? } else { begun });
        }
        People::Diff { examples, json } => {
            let query = examples.map(|count| format!("?examples={count}")).unwrap_or_default();
            let told = remote.get(&format!("{PATH}{query}")).await?;
            if json {
                say(&serde_json::to_string_pretty(&told)?);
            } else {
                print(&told);
            }
        }
        People::Apply { id, wait } => {
            let id = named(&remote, id).await?;
            let begun = remote.call(Method::POST, &format!("{PATH}/{id}/apply"), None).await?;
            print(&if wait { until_not(&remote, &begun, "applying").await? } else { begun });
        }
        People::Discard { id } => {
            let id = named(&remote, id).await?;
            remote.call(Method::DELETE, &format!("{PATH}/{id}"), None).await?;
            say(&format!("The proposal {id} is forgotten; all faces stay whose they are."));
        }
        People::Reject { person, faces } => {
            for face in faces {
                let path = format!("/calotype/people/{person}/faces/{face}");
                remote.call(Method::DELETE, &path, None).await?;
                say(&format!("The face {face} is not of {person}."));
            }
        }
    }
    Ok(())
}

/// The proposal that is meant.
async fn named(remote: &Remote, id: Option<Uuid>) -> anyhow::Result<String> {
    if let Some(id) = id {
        return Ok(id.to_string());
    }
    let last = remote.get(&format!("{PATH}?examples=1")).await?;
    last["id"].as_str().map(str::to_owned).context("the server names no proposal")
}

/// Waits until a proposal has left a state.
async fn until_not(remote: &Remote, begun: &Value, state: &str) -> anyhow::Result<Value> {
    loop {
        let now = remote.get(PATH).await?;
        if now["id"] != begun["id"] {
            bail!("another proposal took the place of this one");
        }
        if now["state"] != state {
            return Ok(now);
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

fn print(told: &Value) {
    say(&format!("proposal {}: {}", text(&told["id"]), text(&told["state"])));
    if !told["model"].is_null() {
        say(&format!("  by {}", identity(&told["model"])));
    }
    if told["faces"].is_object() {
        print_faces(&told["faces"]);
    }
}
