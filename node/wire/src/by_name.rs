//! A value whose fields stand by name in JSON, whatever the order of their declaration.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Writes the inner value with the fields of every object in it ordered by name; reads it in any
/// order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ByName<T>(pub T);

impl<T: Serialize> Serialize for ByName<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // serde_json's own map is ordered by name.
        serde_json::to_value(&self.0)
            .map_err(serde::ser::Error::custom)?
            .serialize(serializer)
    }
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for ByName<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<ByName<T>, D::Error> {
        T::deserialize(deserializer).map(ByName)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
    struct Pair {
        b: Option<u8>,
        a: Vec<u8>,
    }

    #[test]
    fn fields_stand_by_name() {
        let pair = || ByName(Pair { b: None, a: vec![] });
        let text = serde_json::to_string(&pair()).unwrap();
        assert_eq!(text, r#"{"a":[],"b":null}"#);
        let read: ByName<Pair> = serde_json::from_str(r#"{"b":null,"c":1,"a":[]}"#).unwrap();
        assert_eq!(read, pair());
    }
}
