//! Amounts with digits in groups.

use crate::capital::yuan;
use crate::catalogue::{Language, language};

/// Minor units with grouping, such as `8,000,000.00`.
pub fn money(minor: i128, exponent: u32) -> String {
    let scale = 10i128.checked_pow(exponent).unwrap_or(1);
    let (whole, rest) = (minor / scale, (minor % scale).unsigned_abs());
    let digits = whole.unsigned_abs().to_string();
    let mut grouped = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i) % 3 == 0 {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    let sign = if minor < 0 { "-" } else { "" };
    if exponent == 0 {
        format!("{sign}{grouped}")
    } else {
        format!("{sign}{grouped}.{rest:0width$}", width = exponent as usize)
    }
}

/// An amount with its unit as one signs it: `90,000.00 CNY`; for a reader of Chinese, yuan in capital
/// form as well (RULINGS R19).
pub fn in_full(minor: u64, code: &str, exponent: u32) -> String {
    let plain = format!("{} {code}", money(i128::from(minor), exponent));
    if code == "CNY" && language() == Language::Chinese {
        format!("{plain}  {}", yuan(minor))
    } else {
        plain
    }
}

#[cfg(test)]
mod tests {
    use super::money;

    #[test]
    fn money_is_grouped() {
        assert_eq!(money(800_000_000, 2), "8,000,000.00");
        assert_eq!(money(-5, 2), "-0.05");
        assert_eq!(money(1_234, 0), "1,234");
        assert_eq!(money(99, 2), "0.99");
    }
}
