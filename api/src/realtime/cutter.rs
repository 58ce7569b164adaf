//! Closes the sockets of whoever logged out, lost a key or an account. Asks nobody and waits for nobody: what is
//! told to the others may take long, or fail.

use calotype_domain::api_key::ApiKeyEvent;
use calotype_domain::catalogue::AnyEvent;
use calotype_domain::permission::{Permission, allows};
use calotype_domain::session::SessionEvent;
use calotype_domain::user::UserEvent;
use calotype_projections::{Applied, Event};
use socketioxide::SocketIo;
use tokio::sync::broadcast::{self, error::RecvError};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// Whose sockets are closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cut {
    /// Those of a session that is over; they are told so.
    Session(Uuid),
    /// Those of an account that was marked for deletion, or of a key that was revoked, has another secret or may
    /// read assets no more.
    Access(Uuid),
    /// All: nobody knows who lost access. Clients connect again, and are asked who they are.
    All,
}

/// What follows from what the projections said; `None` when they say nothing more.
fn cuts(said: Result<Applied, RecvError>) -> Option<Vec<Cut>> {
    match said {
        Ok(batch) => Some(batch.events.iter().filter_map(cut).collect()),
        Err(RecvError::Lagged(_)) => Some(vec![Cut::All]),
        Err(RecvError::Closed) => None,
    }
}

fn cut(event: &Event) -> Option<Cut> {
    match &event.what {
        AnyEvent::Session(SessionEvent::Closed(_)) => Some(Cut::Session(event.key)),
        AnyEvent::User(UserEvent::Deleted(_))
        | AnyEvent::ApiKey(ApiKeyEvent::Revoked(_) | ApiKeyEvent::Rotated(_)) => {
            Some(Cut::Access(event.key))
        }
        AnyEvent::ApiKey(ApiKeyEvent::PermissionsChanged(changed)) => {
            (!allows(&changed.permissions, Permission::AssetRead)).then_some(Cut::Access(event.key))
        }
        _ => None,
    }
}

/// Closes sockets batch after batch, until cancelled or until nobody applies any more.
pub(super) async fn run(
    io: SocketIo,
    mut applied: broadcast::Receiver<Applied>,
    cancel: CancellationToken,
) {
    loop {
        let said = tokio::select! {
            () = cancel.cancelled() => break,
            said = applied.recv() => said,
        };
        let Some(cuts) = cuts(said) else { break };
        for cut in cuts {
            close(&io, cut).await;
        }
    }
}

async fn close(io: &SocketIo, cut: Cut) {
    let closed = match cut {
        Cut::Session(id) => {
            let room = id.to_string();
            if let Err(error) = io.to(room.clone()).emit("on_session_delete", &id).await {
                tracing::debug!(%error, "a socket was not reached");
            }
            io.to(room).disconnect().await
        }
        Cut::Access(id) => io.to(id.to_string()).disconnect().await,
        Cut::All => {
            tracing::warn!("all web sockets are closed: it is not known who lost access");
            io.disconnect().await
        }
    };
    if let Err(error) = closed {
        tracing::debug!(%error, "a socket was closed already");
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use calotype_domain::permission::Permission;
    use calotype_domain::{api_key, asset, session, user};
    use calotype_projections::GlobalPosition;
    use chrono::DateTime;

    use super::*;

    fn event(key: u128, what: AnyEvent) -> Event {
        Event {
            position: GlobalPosition::new(1),
            event_id: Uuid::nil(),
            stream_id: String::new(),
            key: Uuid::from_u128(key),
            revision: 0,
            recorded_at: DateTime::UNIX_EPOCH,
            what,
        }
    }

    #[test]
    fn whoever_loses_access_is_cut_off_without_a_question() {
        let reads = api_key::ApiKeyPermissionsChanged { permissions: vec![Permission::AssetRead] };
        let views = api_key::ApiKeyPermissionsChanged { permissions: vec![Permission::AssetView] };
        let events = vec![
            event(1, AnyEvent::Asset(asset::AssetFavorited {}.into())),
            event(2, AnyEvent::Session(session::SessionClosed {}.into())),
            event(3, AnyEvent::ApiKey(reads.into())),
            event(4, AnyEvent::ApiKey(views.into())),
            event(5, AnyEvent::ApiKey(api_key::ApiKeyRevoked {}.into())),
            event(6, AnyEvent::User(user::UserDeleted { force: false }.into())),
        ];
        let of = Uuid::from_u128;
        let wanted =
            [Cut::Session(of(2)), Cut::Access(of(4)), Cut::Access(of(5)), Cut::Access(of(6))];
        let said = Applied { events: Arc::new(events) };
        assert_eq!(cuts(Ok(said)).unwrap(), wanted);
    }

    #[test]
    fn who_did_not_hear_of_everything_closes_all() {
        assert_eq!(cuts(Err(RecvError::Lagged(3))).unwrap(), [Cut::All]);
        assert!(cuts(Err(RecvError::Closed)).is_none());
    }
}
