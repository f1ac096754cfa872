//! The number of shards grows with a bot of several processes: one of them looks at all.

use shardkeep_core::fleet::lease::View;
use shardkeep_core::fleet::reshard::across::Course;
use shardkeep_core::fleet::{Serving, Shards, Target};

use super::Running;
use super::follow::lines;
use crate::bot::fleet::auto::in_words;

impl Running {
    /// Asks for a look at the fleet. `false` if this process is alone.
    pub(in crate::bot::fleet) fn look_at_growth_across(&mut self) -> bool {
        let Some(crew) = &mut self.crew else {
            return false;
        };
        crew.across.is_growing = true;
        crew.holder.ask_for_view();
        true
    }

    /// The register has said who holds what: whoever holds the session of what has no guild decides for all.
    pub(super) fn look_at_growth_of(&mut self, view: &View) {
        let Some(crew) = &mut self.crew else {
            return;
        };
        if !std::mem::take(&mut crew.across.is_growing) {
            return;
        }
        let Ok(Shards::Fixed(sessions)) = view.topology.parse() else {
            return;
        };
        let course = view.course.as_deref().and_then(Course::read);
        let is_changing = course.is_some_and(|course| course.is_open());
        let serving = Serving::of_sessions(&sessions)
            .ok()
            .filter(|_| !is_changing);
        let line = lines(view);
        let shards = u32::try_from(sessions.len()).unwrap_or(u32::MAX);
        let decision = match &serving {
            None => "a change of shards is under way".to_owned(),
            Some(serving) if !crew.runs(serving.direct()) => {
                "the process that runs the first shard decides".to_owned()
            }
            Some(serving) if line.ready < serving.sessions() as u64 => {
                "not every shard is connected: looking again later".to_owned()
            }
            Some(_) => match self.outgrown(line.guilds, shards) {
                None => "nothing to do".to_owned(),
                Some((total, dry_run)) => self.grow_across(view, total, dry_run),
            },
        };
        self.decided(line.guilds, shards, decision);
    }

    fn grow_across(&mut self, view: &View, total: u32, dry_run: bool) -> String {
        let planned = self.plan_across(view, Target::Shards(total));
        let planned = planned.and_then(|plan| match dry_run {
            true => Ok(plan),
            false => self.may_change(view, &plan).map(|()| plan),
        });
        if let (Ok(plan), false) = (&planned, dry_run) {
            let _under_way = self.lead(view, plan);
        }
        in_words(total, dry_run, &planned)
    }
}
