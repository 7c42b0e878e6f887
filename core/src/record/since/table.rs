//! The table's language: what [`Since`] is, and how an enum, a struct and a plain value are written down.

use rollbook_proof::codec::Text;
use rollbook_proof::number::ProtocolVersion;

/// What has a first rule version.
pub(in crate::record) trait Since {
    /// The first rule version that has it, with everything inside.
    fn since(&self) -> ProtocolVersion;
}

/// The first rule version.
pub(super) const FIRST: ProtocolVersion = ProtocolVersion(1);

/// The newest of them.
pub(super) fn newest(parts: impl IntoIterator<Item = ProtocolVersion>) -> ProtocolVersion {
    parts.into_iter().fold(FIRST, ProtocolVersion::max)
}

/// Values without a choice in them: numbers, texts, bytes.
macro_rules! plain {
    ($($type:ty),* $(,)?) => { $(
        impl Since for $type {
            fn since(&self) -> ProtocolVersion {
                FIRST
            }
        }
    )* };
}

impl<const N: usize> Since for Text<N> {
    fn since(&self) -> ProtocolVersion {
        FIRST
    }
}

impl<const N: usize> Since for [u8; N] {
    fn since(&self) -> ProtocolVersion {
        FIRST
    }
}

impl<T: Since> Since for Box<T> {
    fn since(&self) -> ProtocolVersion {
        self.as_ref().since()
    }
}

impl<T: Since> Since for Vec<T> {
    fn since(&self) -> ProtocolVersion {
        newest(self.iter().map(Since::since))
    }
}

impl<T: Since> Since for Option<T> {
    fn since(&self) -> ProtocolVersion {
        newest(self.iter().map(Since::since))
    }
}

impl<A: Since, B: Since> Since for (A, B) {
    fn since(&self) -> ProtocolVersion {
        newest([self.0.since(), self.1.since()])
    }
}

/// An enum: the version of the variant, or of the newest thing in it. A struct: its newest field.
macro_rules! since {
    (@ struct $type:ident { $($field:ident),* $(,)? }) => {
        impl Since for $type {
            fn since(&self) -> ProtocolVersion {
                let $type { $($field),* } = self;
                newest([$($field.since()),*])
            }
        }
    };
    (@ enum $type:ident { $(
        $variant:ident $(($it:ident))? $({ $($field:ident),* $(,)? })? = $version:literal
    ),* $(,)? }) => {
        impl Since for $type {
            fn since(&self) -> ProtocolVersion {
                match self { $(
                    $type::$variant $(($it))? $({ $($field),* })? => newest([
                        ProtocolVersion($version) $(, $it.since())? $($(, $field.since())*)?
                    ])
                ),* }
            }
        }
    };
    ($($kind:tt $type:ident { $($body:tt)* })+) => {
        $(since!(@ $kind $type { $($body)* });)+
    };
}
