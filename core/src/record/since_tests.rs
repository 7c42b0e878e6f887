use super::*;

enum Planted {
    Old,
    New,
    Holds(Option<Inner>),
    Named { inner: Vec<(u32, Inner)> },
}
enum Inner {
    Old,
    Newer,
}
struct Around {
    first: Inner,
    then: Planted,
}

since! {
    enum Planted {
        Old = 1,
        New = 3,
        Holds(it) = 2,
        Named { inner } = 1,
    }
    enum Inner { Old = 1, Newer = 5 }
    struct Around { first, then }
}

#[test]
fn the_newest_thing_inside_counts() {
    use Planted::{Holds, Named, New, Old};
    let named = |inner: Inner| Named {
        inner: vec![(1, Inner::Old), (2, inner), (3, Inner::Old)],
    };
    let around = |first, then| Around { first, then }.since().0;
    assert_eq!(Old.since().0, 1);
    assert_eq!(New.since().0, 3);
    assert_eq!(Holds(None).since().0, 2);
    assert_eq!(Holds(Some(Inner::Old)).since().0, 2);
    assert_eq!(Holds(Some(Inner::Newer)).since().0, 5);
    assert_eq!(named(Inner::Old).since().0, 1);
    assert_eq!(named(Inner::Newer).since().0, 5);
    assert_eq!(around(Inner::Newer, Old), 5);
    assert_eq!(around(Inner::Old, New), 3);
}
