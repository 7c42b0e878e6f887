//! A first award, typed by hand: a desk with every key at an alliance of seven companies, and the
//! commands from a fund to reviews.

#![allow(clippy::unwrap_used, dead_code)]

use std::cell::RefCell;

use crate::desk::{Desk, all};

/// The secretariat, as an organisation.
pub const OFFICE: u32 = 9;
/// Its people, who hold the posts in this order.
pub const SECRETARY: &str = "17:secretary";
pub const TREASURER: &str = "18:treasurer";
pub const SECOND: &str = "19:second-officer";
pub const PROGRAMME: &str = "21:programme-officer";
pub const APPROVER: &str = "22:finance-approver";
/// Who applies, who reviews, who sits in the committee.
pub const APPLICANT: u32 = 4;
pub const REVIEWERS: [u32; 3] = [5, 6, 7];
pub const BOARD: [u32; 4] = [1, 2, 3, 4];
/// Of the committee of five one is the applicant, one a reviewer.
pub const COMMITTEE: [u32; 3] = [1, 2, 3];

/// A desk with every key, at which each person types in turn.
pub struct Hand {
    pub desk: Desk,
    pub typed: RefCell<Vec<String>>,
    url: String,
}

impl Hand {
    /// The address of the first node.
    pub fn url(&self) -> String {
        self.url.clone()
    }

    /// An act, typed by hand.
    #[track_caller]
    pub fn types(&self, line: &str) -> String {
        self.typed.borrow_mut().push(line.to_owned());
        let output = self.desk.ends(0, line);
        all(&output)
    }

    /// An act of the office by holders of posts.
    #[track_caller]
    pub fn office(&self, line: &str, holders: &[&str]) -> String {
        let signers: Vec<String> = holders
            .iter()
            .map(|who| format!("--signer {who}"))
            .collect();
        self.types(&format!("{line} --as {OFFICE} {}", signers.join(" ")))
    }

    /// An act of a member that both of its officers sign.
    #[track_caller]
    pub fn member(&self, line: &str, member: u32, second: &str) -> String {
        let (one, two) = (2 * member - 1, 2 * member);
        self.types(&format!(
            "{line} --as {member} --signer {one}:primary --signer {two}:{second}"
        ))
    }

    /// The reviewer drawn acts alone.
    #[track_caller]
    pub fn reviewer(&self, line: &str, person: u32) {
        let member = person.div_ceil(2);
        self.types(&format!("{line} --as {member} --signer {person}:technical"));
    }

    /// Time passes; what day it is then.
    pub fn later(&self, length: &str) -> String {
        let now = self
            .desk
            .good(&format!("testnet clock advance {length} --dir net"));
        let day = now.split('T').next().unwrap();
        day[day.len() - 10..].to_owned()
    }

    /// Time passes until an object stands so: from deadline to deadline.
    #[track_caller]
    pub fn until(&self, object: &str, state: &str) {
        for _ in 0..12 {
            let told = self.desk.good(object);
            if told.split_once(": ").unwrap().1.starts_with(state) {
                return;
            }
            self.past(object);
        }
        panic!("{object} is never '{state}'");
    }

    /// Time passes the next deadline of an object, and a block with it.
    #[track_caller]
    pub fn past(&self, object: &str) {
        let told = self.desk.json(0, object);
        let before = told["due"].clone();
        // What only waits until a time needs no block: the next act is judged as of then.
        let waits = told["from"][1].as_str();
        if let Some(at) = waits.or(before[1].as_str()) {
            let to = rollbook_core::calendar::parse_instant(at).unwrap().0 + 1;
            self.desk
                .good(&format!("testnet clock advance --to-ms {to} --dir net"));
        }
        if waits.is_some() {
            return;
        }
        for _ in 0..300 {
            let now = self.desk.json(0, object);
            if now["due"] != before {
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(100));
        }
        panic!("{object} stays before {before}");
    }

    /// Yes to all of these motions by as many members as it takes; time passes until they are
    /// carried out.
    pub fn carried(&self, motions: &[u32], voters: &[u32]) {
        let numbers: Vec<String> = motions.iter().map(|motion| format!("V-{motion}")).collect();
        let vote = format!("motion vote {} yes", numbers.join(","));
        for member in voters {
            self.member(&vote, *member, "alternate");
        }
        for motion in numbers {
            self.until(&format!("motion status {motion}"), "carried out");
        }
    }
}

/// A hand at an alliance that runs, with the keys of everybody who acts.
pub fn hand() -> Hand {
    let desk = Desk::new();
    let url = desk.testnet(4, 7, "award");
    for member in 1..=7 {
        desk.key("award", member, 2 * member - 1, "primary,node-operator");
        desk.key("award", member, 2 * member, "alternate,finance,technical");
    }
    for person in 17..=23 {
        desk.key("award", OFFICE, person, "");
    }
    desk.good(&format!(
        "setup --name award --genesis net/genesis.rollbook --node {url} --organisation {OFFICE} \
         --person 17 --alliance Sample"
    ));
    for file in [
        "bank.txt",
        "fund.txt",
        "pool.txt",
        "committee.txt",
        "call.txt",
        "project.txt",
        "comment.txt",
        "award.txt",
        "parties.txt",
        "agreement.txt",
        "evidence.txt",
        "account.txt",
        "clause.txt",
    ] {
        desk.write(file, format!("what {file} says"));
    }
    Hand {
        desk,
        typed: RefCell::default(),
        url,
    }
}

/// A fund with money and a pool of reviewers.
pub fn funded(hand: &Hand) {
    hand.office(
        "fund propose --name 示例基金/Sample --holder O-9 --office O-9 --unit CNY --bank-account \
         @bank.txt --officers treasurer:18,second-officer:19,second-officer:20,\
         programme-officer:21,finance-approver:22,finance-approver:23 --text @fund.txt",
        &[SECRETARY],
    );
    let persons = REVIEWERS.map(|member| (2 * member).to_string()).join(",");
    hand.office(
        &format!("review pool --pool reviewers --persons {persons}"),
        &[PROGRAMME],
    );
    hand.office(
        &format!("review confirm-pool --pool reviewers --persons {persons} --text @pool.txt"),
        &[SECRETARY],
    );
    hand.carried(&[1, 2], &BOARD);
    hand.office(
        "fund accept F-1",
        &[
            TREASURER,
            SECOND,
            "20:second-officer",
            PROGRAMME,
            APPROVER,
            "23:finance-approver",
        ],
    );

    hand.member(
        "contribution pledge F-1 --instalments 2023-12-31:1,000,000.00",
        1,
        "finance",
    );
    hand.office("contribution call 1", &[TREASURER]);
    let today = hand.later("1d");
    let receive =
        format!("contribution receive 1 --reference BOC-20230901-01 --value-day {today} --amount");
    // Not typed in vain: a sum in another unit, more digits than a yuan has.
    let signer = format!("--as {OFFICE} --signer {TREASURER}");
    for (amount, why) in [
        ("1,000,000.000", "CNY has at most 2 digits after the point"),
        (
            "1000000USD",
            "the amount is in USD, and this fund counts CNY",
        ),
    ] {
        let told = all(&hand.desk.ends(2, &format!("{receive} {amount} {signer}")));
        assert!(told.contains(why), "{told}");
    }
    let told = all(&hand.desk.ends(
        1,
        &format!("contribution confirm 1 --as {OFFICE} --signer {SECOND}"),
    ));
    assert!(told.contains("no receipt waits"), "{told}");
    hand.office(&format!("{receive} 1,000,000.00"), &[TREASURER]);
    let told = hand.office("contribution confirm 1", &[SECOND]);
    assert!(
        told.contains("1,000,000.00 CNY, reference BOC-20230901-01"),
        "the second officer sees what is confirmed: {told}"
    );
}

/// A call, open for applications; `more` stands in its terms.
pub fn called(hand: &Hand, more: &str) {
    hand.office(
        "fund committee F-1 --members 1,2,3,4,5 --text @committee.txt",
        &[SECRETARY],
    );
    hand.office(
        &format!("call publish --fund F-1 --title 示例征集/Sample --budget 500,000 --ask-max 300,000.00 \
         --criteria quality:5000:10,benefit:5000:10 --eligibility founding --codes incomplete \
         --opens-day 2023-10-15 --closes-day 2023-11-15 --document @call.txt --text @call.txt {more}"),
        &[PROGRAMME],
    );
    hand.carried(&[3, 4], &BOARD);
    let told = hand.desk.good("show V-4");
    assert!(
        told.contains("500,000.00 CNY") && !told.contains("50000000"),
        "a motion says its amounts as people do: {told}"
    );
    hand.until("call status C-1", "open for applications");
}

/// The application is handed in, opened and screened.
pub fn applied(hand: &Hand) {
    let told = hand.member(
        "application submit C-1 --project @project.txt --title Project --ask 200,000.00 --document \
         @project.txt --opening application.json",
        APPLICANT,
        "alternate",
    );
    let number: String = told
        .split("application ")
        .skip(1)
        .map(|rest| rest.chars().take_while(char::is_ascii_digit).collect())
        .find(|number: &String| !number.is_empty())
        .unwrap_or_else(|| panic!("{told}"));
    hand.until("call status C-1", "closed for submissions");
    hand.member(
        &format!("application open {number} --opening application.json"),
        APPLICANT,
        "alternate",
    );
    hand.office(&format!("application screen {number}"), &[PROGRAMME]);
}

/// Reviewers are drawn and declare: who has review 1, 2 and 3.
pub fn drawn(hand: &Hand) -> Vec<u32> {
    hand.office("review freeze --subject call:1", &[PROGRAMME]);
    let places = |verb: &str| {
        for (name, holder) in [("programme", PROGRAMME), ("second", SECOND)] {
            hand.office(&format!("review {verb} 1 --opening {name}.json"), &[holder]);
        }
        hand.member(
            &format!("review {verb} 1 --opening seat.json"),
            1,
            "alternate",
        );
    };
    places("draw");
    places("reveal-draw");
    let persons: Vec<u32> = (1..=3)
        .map(|review| {
            let told = hand.desk.json(0, &format!("review status {review}"));
            told["person"].as_u64().unwrap() as u32
        })
        .collect();
    for (review, person) in (1..).zip(&persons) {
        hand.reviewer(&format!("review declare {review}"), *person);
    }
    persons
}
