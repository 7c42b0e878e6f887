//! Directions, an observer, working days, a correction and the election of the chair by the command line, on
//! a real node.

#![allow(clippy::unwrap_used)]

mod desk;
use desk::{Desk, Down, TEXT, all, tells};

const MEMBERS: u32 = 5;
const OBSERVER: u32 = MEMBERS + 1;
const OFFICE: u32 = MEMBERS + 2;

/// A desk with every key, at which each person types in turn.
struct Hand(Desk);

impl Hand {
    /// An act of a member that both of its officers sign.
    #[track_caller]
    fn member(&self, line: &str, member: u32) -> String {
        self.0.good(&by_member(line, member))
    }

    /// An act of the office by the holder of a post.
    #[track_caller]
    fn office(&self, line: &str, holder: &str) -> String {
        self.0.good(&by_office(line, holder))
    }

    #[track_caller]
    fn vote(&self, motion: u32, members: &[u32]) {
        for member in members {
            self.member(&format!("motion vote {motion} yes"), *member);
        }
    }

    #[track_caller]
    fn later(&self, length: &str) {
        let advance = format!("testnet clock advance {length} --dir net");
        self.0.good(&advance);
    }

    /// The block of a deadline comes a moment after its time.
    #[track_caller]
    fn until(&self, line: &str, part: &str) {
        for _ in 0..50 {
            if self.0.good(line).contains(part) {
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(200));
        }
        tells(&self.0.good(line), &[part]);
    }
}

fn by_member(line: &str, member: u32) -> String {
    let (one, two) = (2 * member - 1, 2 * member);
    format!("{line} --as {member} --signer {one}:primary --signer {two}:alternate")
}

fn by_office(line: &str, holder: &str) -> String {
    format!("{line} --as {OFFICE} --signer {holder}")
}

/// The secretary of the sample.
fn secretary() -> String {
    format!("{}:secretary", 2 * MEMBERS + 3)
}

#[test]
fn affairs_of_the_alliance() {
    let desk = Desk::new();
    let url = desk.testnet(1, MEMBERS, "affairs");
    let hand = Hand(desk);
    let _down = Down(&hand.0);
    for member in 1..=MEMBERS {
        hand.0
            .key("affairs", member, 2 * member - 1, "primary,node-operator");
        hand.0
            .key("affairs", member, 2 * member, "alternate,finance,technical");
    }
    hand.0.key("affairs", OBSERVER, 2 * MEMBERS + 1, "primary");
    hand.0.key("affairs", OFFICE, 2 * MEMBERS + 3, "");
    hand.0.good(&format!(
        "setup --name own --genesis net/genesis.rollbook --node {url} --organisation {OFFICE} \
         --person {} --alliance Sample",
        2 * MEMBERS + 3
    ));
    working_days(&hand);
    a_correction(&hand);
    directions_and_an_observer(&hand);
    a_chair(&hand);
}

fn working_days(hand: &Hand) {
    hand.office(
        "calendar set 2023 --holidays 2023-10-02..2023-10-06 --working-weekends 2023-10-07",
        &secretary(),
    );
    tells(
        &hand.0.good("tasks --all"),
        &["rollbook calendar confirm 1"],
    );
    tells(&hand.0.good("calendar show 1"), &["filed by", "2023-10-07"]);
    hand.member("calendar confirm CD-1", 1);
    tells(&hand.0.good("calendar list"), &["CD-0001", "in force"]);
    let refused = hand.0.ends(1, &by_member("calendar confirm 1", 2));
    tells(&all(&refused), &["M39.not-waiting"]);
    let far = by_office("calendar set 2029", &secretary());
    tells(&all(&hand.0.ends(1, &far)), &["M39.other-year", "2029"]);
}

fn a_correction(hand: &Hand) {
    hand.office(
        &format!(
            "order file --authority Cuort --reference 12 --document {TEXT} \
             --issued-ms 2023-06-27T10:00:00+08:00"
        ),
        &secretary(),
    );
    tells(&hand.0.good("order list"), &["OR-0001", "Cuort"]);
    let fix = |reads: &str| {
        let line = format!(
            "correct OR-1 --field authority --reads {reads} --should-read Court --evidence {TEXT}"
        );
        by_office(&line, &secretary())
    };
    let refused = hand.0.ends(1, &fix("Tribunal"));
    tells(&all(&refused), &["M41.reads-otherwise", "Cuort"]);
    hand.0.good(&fix("Cuort"));
    tells(
        &hand.0.good("tasks --all"),
        &["rollbook correction confirm 1"],
    );
    hand.member("correction confirm 1", 3);
    tells(
        &hand.0.good("show OR-1"),
        &[
            "authority reads 'Cuort' and should read 'Court'",
            "confirmed",
        ],
    );
    tells(
        &hand.0.good("--lang zh show OR-1"),
        &["现为“Cuort”，应为“Court”"],
    );
}

fn directions_and_an_observer(hand: &Hand) {
    hand.member("direction join 1", 2);
    hand.member("direction join 1", 3);
    tells(
        &hand.0.good("direction show 1"),
        &["nobody leads it", "O-0002", "O-0003"],
    );
    let refused = hand.0.ends(1, &by_member("direction join 1", 2));
    tells(&all(&refused), &["M37.joined-already"]);
    let lead = format!("direction lead 1 --organisation 2 --text {TEXT}");
    hand.office(&lead, &secretary());
    tells(&hand.0.good("observer list"), &["as the public does"]);
    let admit = format!("observer admit {OBSERVER} --reading members --text {TEXT}");
    hand.office(&admit, &secretary());
    hand.vote(1, &[1, 3, 4]);
    hand.vote(2, &[1, 2, 3]);
    hand.later("8d");
    hand.later("4d");
    hand.until("direction show 1", "led by O-0002");
    hand.until("observer show 6", "as members do");
    hand.0.good(&format!(
        "observer state --title Interoperability --document {TEXT} --motion 2 --as {OBSERVER} \
         --signer {}:primary",
        2 * MEMBERS + 1
    ));
    tells(
        &hand.0.good("observer statements"),
        &["ST-0001", "Interoperability", "V-0002"],
    );
    hand.member("direction step-down 1", 2);
    tells(
        &hand.0.good("direction show 1"),
        &["nobody leads it", "O-0002"],
    );
    hand.member("direction leave 1", 2);
    let history = hand.0.good("history --of 2");
    tells(&history, &["M37"]);
}

fn a_chair(hand: &Hand) {
    hand.member(&format!("office elect-chair {OFFICE} --text {TEXT}"), 1);
    // Ballots of elections are sealed, and opened after the close.
    for member in 1..=4 {
        hand.member("motion vote 3 --names 4", member);
    }
    hand.later("12d");
    hand.until("motion show 3", "waits for reveals");
    for member in 1..=4 {
        hand.member("motion reveal 3", member);
    }
    hand.later("4d");
    hand.later("12d");
    hand.until("office list", "chair");
    let offered = hand.0.json(0, "office list");
    let offered = offered["items"]
        .as_array()
        .unwrap()
        .iter()
        .find(|item| item["value"]["role"] == "chair")
        .unwrap();
    let post = offered["key"].to_string().replace('"', "");
    hand.0
        .good(&format!("office accept {post} --as 4 --signer 7:primary"));
    // The chair agrees as one seat holder does.
    hand.office("calendar set 2024 --holidays 2024-01-01", &secretary());
    hand.office("calendar confirm 2", "7:chair");
    tells(&hand.0.good("show CD-2"), &["in force"]);
}
