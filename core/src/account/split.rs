//! Splitting an amount without losing a cent (N15).

/// Why an amount was not split.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SplitError {
    /// Nothing to split by.
    #[error("all weights are zero, or there are none")]
    NoWeight,
}

/// Splits `total` in proportion to `weights` by the largest remainder: each part is the exact
/// quotient rounded down, and the units left over go one each to the largest remainders, the
/// earlier part first among equals. The parts sum to `total`; each differs from its exact share by
/// less than one unit; a weight of zero gets nothing.
pub fn largest_remainder(total: u64, weights: &[u64]) -> Result<Vec<u64>, SplitError> {
    let sum: u128 = weights.iter().map(|weight| u128::from(*weight)).sum();
    if sum == 0 {
        return Err(SplitError::NoWeight);
    }
    let product = |weight: &u64| u128::from(total) * u128::from(*weight);
    // A quotient is at most `total`, since no weight exceeds the sum.
    let mut parts: Vec<u64> = weights
        .iter()
        .map(|weight| (product(weight) / sum) as u64)
        .collect();
    let left = total - parts.iter().sum::<u64>();
    let mut order: Vec<(u128, usize)> = weights
        .iter()
        .map(|weight| product(weight) % sum)
        .zip(0..)
        .collect();
    order.sort_by(|(a, i), (b, j)| b.cmp(a).then(i.cmp(j)));
    // Fewer units are left than there are parts with a remainder.
    for ((_, index), _) in order.into_iter().zip(0..left) {
        parts[index] += 1;
    }
    Ok(parts)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn examples() {
        assert_eq!(largest_remainder(100, &[1, 1, 1]), Ok(vec![34, 33, 33]));
        assert_eq!(largest_remainder(1, &[0, 5, 5]), Ok(vec![0, 1, 0]));
        assert_eq!(largest_remainder(10, &[1, 2, 3]), Ok(vec![2, 3, 5]));
        assert_eq!(largest_remainder(0, &[1, 2]), Ok(vec![0, 0]));
        assert_eq!(
            largest_remainder(u64::MAX, &[u64::MAX, u64::MAX]),
            Ok(vec![u64::MAX / 2 + 1, u64::MAX / 2])
        );
        assert_eq!(largest_remainder(5, &[]), Err(SplitError::NoWeight));
        assert_eq!(largest_remainder(5, &[0, 0]), Err(SplitError::NoWeight));
    }

    proptest! {
        #[test]
        fn exact_and_near(total: u64, weights in proptest::collection::vec(prop_oneof![Just(0), 0u64..9, any::<u64>()], 1..9)) {
            let sum: u128 = weights.iter().map(|weight| u128::from(*weight)).sum();
            prop_assume!(sum > 0);
            let parts = largest_remainder(total, &weights).unwrap();
            prop_assert_eq!(parts.iter().map(|part| u128::from(*part)).sum::<u128>(), u128::from(total));
            for (part, weight) in parts.iter().zip(&weights) {
                // |part - total * weight / sum| < 1
                let floor = (u128::from(total) * u128::from(*weight) / sum) as u64;
                prop_assert!(*part == floor || (*part == floor + 1 && u128::from(total) * u128::from(*weight) % sum != 0));
            }
            for (i, a) in weights.iter().enumerate() {
                for (j, b) in weights.iter().enumerate() {
                    prop_assert!(a <= b || parts[i] >= parts[j], "a larger weight gets no less");
                }
            }
        }
    }
}
