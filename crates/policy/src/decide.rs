//! The rules. Denied unless a rule below says otherwise.
//!
//! Rules of this stage:
//! - A resident, on their own record, for their own use: see everything in it, see who looked, add readings.
//! - A source system, for direct care, under its own registered name only: learn whether details agree with a record,
//!   begin a record, write what it holds about a person, write directory resources. It reads back only from records that
//!   it has itself written to: its own items whatever their label, and other sources' items that are general. It searches
//!   across people, or exports, only if its registration says so; each record that it then looks into is read by the
//!   rule above. Of
//!   the lines that say who looked it sees its own, in records that it has written to.
//! - Keepwell, for administration: match a person who signs in, and housekeeping.
//! - The operator, for administration: register source systems, and housekeeping. No reading of records.
//! - Delegates and professionals: nothing yet. Their rules need relationships, consent and shares.

use keepwell_model::{Actor, Labels, Purpose};

use crate::action::{Action, Request, Target};
use crate::permit::{Denied, Filter, Obligation, Permit, Reason};

/// Decides.
///
/// # Errors
/// [`Denied`] unless a rule allows it.
pub fn permit(request: Request<'_>) -> Result<Permit, Denied> {
    target_fits(request.action, request.target)?;
    let filter = match request.actor {
        Actor::Resident { record } => resident(&request, Target::Person(*record)),
        Actor::System { client, .. } => system(&request, client),
        Actor::Keepwell => keepwell(&request),
        Actor::Operator => operator(&request),
        Actor::Delegate { .. } | Actor::Professional { .. } => Err(Reason::NoRule),
    }
    .map_err(|reason| Denied { reason })?;
    Ok(Permit {
        actor: request.actor.clone(),
        purpose: request.purpose,
        action: request.action,
        target: request.target,
        filter,
        source: source_of(&request),
        obligation: obligation(request.action),
    })
}

fn target_fits(action: Action, target: Target) -> Result<(), Denied> {
    let fits = match action {
        Action::ReadRecord
        | Action::ReadAccessLines
        | Action::AddReading
        | Action::MatchPerson
        | Action::CreateRecord
        | Action::WriteFromSource => matches!(target, Target::Person(_)),
        Action::ReadDirectory | Action::WriteDirectory => matches!(target, Target::Directory(_)),
        Action::SearchPeople | Action::ExportRecords | Action::ManageClients => target == Target::Tenant,
        Action::Housekeep => true,
    };
    if fits { Ok(()) } else { Err(Denied { reason: Reason::WrongTarget }) }
}

fn resident(request: &Request<'_>, own: Target) -> Result<Filter, Reason> {
    match request.action {
        Action::ReadRecord | Action::ReadAccessLines | Action::AddReading => {}
        // Names of organisations and practitioners are part of what the resident reads.
        Action::ReadDirectory => return needs(request, Purpose::OwnUse).map(|()| everything()),
        _ => return Err(Reason::NoRule),
    }
    if request.target != own {
        return Err(Reason::NotTheirOwn);
    }
    needs(request, Purpose::OwnUse)?;
    Ok(everything())
}

fn system(request: &Request<'_>, client: &str) -> Result<Filter, Reason> {
    let own_name = request.facts.source == Some(client);
    let writes_own = || {
        if own_name {
            Ok(Filter { labels: None, own_source: Some(client.to_owned()) })
        } else {
            Err(Reason::NotTheirSource)
        }
    };
    let filter = match request.action {
        Action::ReadRecord if request.facts.feeds => {
            Ok(Filter { labels: Some(Labels::GENERAL), own_source: Some(client.to_owned()) })
        }
        Action::ReadRecord => Err(Reason::NotFed),
        Action::MatchPerson => Ok(Filter::NOTHING),
        Action::CreateRecord | Action::WriteFromSource | Action::WriteDirectory => writes_own(),
        Action::ReadDirectory => Ok(everything()),
        Action::SearchPeople if request.facts.searches_people => Ok(Filter::NOTHING),
        Action::ExportRecords if request.facts.exports => Ok(Filter::NOTHING),
        Action::SearchPeople | Action::ExportRecords => Err(Reason::NotGranted),
        // The lines that it left itself; a line's source is the system that looked.
        Action::ReadAccessLines if request.facts.feeds => {
            Ok(Filter { labels: None, own_source: Some(client.to_owned()) })
        }
        Action::ReadAccessLines => Err(Reason::NotFed),
        Action::AddReading | Action::ManageClients | Action::Housekeep => Err(Reason::NoRule),
    }?;
    needs(request, Purpose::DirectCare)?;
    Ok(filter)
}

fn keepwell(request: &Request<'_>) -> Result<Filter, Reason> {
    match request.action {
        Action::MatchPerson | Action::Housekeep => needs(request, Purpose::Administration).map(|()| Filter::NOTHING),
        _ => Err(Reason::NoRule),
    }
}

fn operator(request: &Request<'_>) -> Result<Filter, Reason> {
    match request.action {
        Action::ManageClients | Action::Housekeep => needs(request, Purpose::Administration).map(|()| Filter::NOTHING),
        _ => Err(Reason::NoRule),
    }
}

fn needs(request: &Request<'_>, purpose: Purpose) -> Result<(), Reason> {
    if request.purpose == purpose { Ok(()) } else { Err(Reason::Purpose) }
}

const fn everything() -> Filter {
    Filter { labels: Some(Labels::ALL), own_source: None }
}

fn source_of(request: &Request<'_>) -> Option<String> {
    let writes = matches!(request.action, Action::CreateRecord | Action::WriteFromSource | Action::WriteDirectory);
    if writes { request.facts.source.map(str::to_owned) } else { None }
}

const fn obligation(action: Action) -> Obligation {
    match action {
        Action::ReadRecord | Action::ReadAccessLines => Obligation::AccessLine,
        Action::AddReading | Action::CreateRecord | Action::WriteFromSource | Action::WriteDirectory => {
            Obligation::AuthoredBlock
        }
        // Searching across people and exporting show nothing by themselves: each record that is looked into owes its own
        // line.
        Action::MatchPerson
        | Action::ReadDirectory
        | Action::SearchPeople
        | Action::ExportRecords
        | Action::ManageClients
        | Action::Housekeep => Obligation::Nothing,
    }
}
