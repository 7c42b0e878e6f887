//! Steps against states (RULINGS R26): whoever folds the steps of a history has the state of every
//! object, so nothing moved past the one place that writes steps down.

use std::collections::BTreeMap;

use rollbook_core::object::Machine;
use rollbook_core::object::key::HeldKey;
use rollbook_core::object::membership::{DisciplinePart, ExitPart, Standing};
use rollbook_core::state::{StateTables, Table, TableValue};
use rollbook_core::step::{Step, Subject};
use rollbook_core::word::Word;

/// Where objects stand.
type Stands = BTreeMap<(&'static str, Subject), &'static str>;

/// Where every object stands by the steps so far.
#[derive(Debug, Clone, Default)]
pub struct Fold(Stands);

impl Fold {
    /// Takes the steps of a block and compares what they come to with the tables after it.
    ///
    /// # Panics
    ///
    /// If a step does not begin where its object stood, or an object stands elsewhere than where its
    /// last step led.
    pub fn follow(&mut self, steps: &[Step], tables: &StateTables) {
        for step in steps {
            let before = self.0.insert((step.kind, step.subject), step.to);
            assert_eq!(before, step.from, "{step:?}");
        }
        let mut stands = Stands::new();
        collect(&tables.memberships, &mut stands);
        collect(&tables.dues, &mut stands);
        for (_, membership) in tables.memberships.iter() {
            let part = ExitPart(membership.clone());
            stands.insert((ExitPart::KIND, part.key().into()), part.state().word());
        }
        collect(&tables.invoices, &mut stands);
        collect(&tables.motions, &mut stands);
        collect(&tables.posts, &mut stands);
        collect(&tables.seats, &mut stands);
        collect(&tables.drafts, &mut stands);
        collect(&tables.edges, &mut stands);
        collect(&tables.nodes, &mut stands);
        collect(&tables.funds, &mut stands);
        collect(&tables.instalments, &mut stands);
        collect(&tables.calls, &mut stands);
        collect(&tables.applications, &mut stands);
        collect(&tables.draws, &mut stands);
        collect(&tables.reviews, &mut stands);
        collect(&tables.awards, &mut stands);
        collect(&tables.agreements, &mut stands);
        collect(&tables.milestones, &mut stands);
        collect(&tables.payments, &mut stands);
        collect(&tables.changes, &mut stands);
        collect(&tables.delegations, &mut stands);
        collect(&tables.revocations, &mut stands);
        collect(&tables.key_recoveries, &mut stands);
        collect(&tables.observers, &mut stands);
        collect(&tables.calendars, &mut stands);
        collect(&tables.corrections, &mut stands);
        collect(&tables.plans, &mut stands);
        collect(&tables.notices, &mut stands);
        collect(&tables.proceedings, &mut stands);
        for (number, membership) in tables.memberships.iter() {
            if let Standing::Live(live) = &membership.standing {
                let part = DisciplinePart {
                    membership: *number,
                    discipline: live.discipline,
                };
                stands.insert(
                    (DisciplinePart::KIND, part.key().into()),
                    part.state().word(),
                );
            } else if let Some(last) = self.0.get(&(DisciplinePart::KIND, (*number).into())) {
                // With the membership its discipline ends where it stood.
                stands.insert((DisciplinePart::KIND, (*number).into()), *last);
            }
        }
        collect(&tables.measures, &mut stands);
        collect(&tables.recoveries, &mut stands);
        for (person, facts) in tables.persons.iter() {
            for (number, key) in (0..).zip(&facts.keys) {
                stands.insert((HeldKey::KIND, (*person, number).into()), key.state.word());
            }
        }
        let differs = |of: &Stands, than: &Stands| -> Stands {
            let mut of = of.clone();
            of.retain(|key, state| than.get(key) != Some(state));
            of
        };
        assert_eq!(
            (differs(&self.0, &stands), differs(&stands, &self.0)),
            (Stands::new(), Stands::new()),
            "by the steps, and by the tables"
        );
    }
}

fn collect<K: TableValue + Ord, M: Machine + TableValue>(table: &Table<K, M>, stands: &mut Stands) {
    for (_, object) in table.iter() {
        stands.insert((M::KIND, object.key().into()), object.state().word());
    }
}
