//! Money in Chinese capital form, as vouchers write it (RULINGS R19): 人民币壹佰万元整.
//!
//! * Runs of zeros inside the number are one 零; zeros at its end are none.
//! * 整 ends an amount without fen. Fen after no jiao follow a 零.

const DIGITS: [&str; 10] = ["零", "壹", "贰", "叁", "肆", "伍", "陆", "柒", "捌", "玖"];
const PLACES: [(u64, &str); 4] = [(1_000, "仟"), (100, "佰"), (10, "拾"), (1, "")];

/// An amount of yuan given in fen.
pub fn yuan(fen: u64) -> String {
    let (whole, jiao, rest) = (fen / 100, (fen / 10 % 10) as usize, (fen % 10) as usize);
    let mut text = String::from("人民币");
    if whole > 0 {
        text += &eights(whole);
        text += "元";
    }
    match (whole, jiao, rest) {
        (0, 0, 0) => text += "零元整",
        (_, 0, 0) => text += "整",
        (_, jiao, 0) => text += &format!("{}角整", DIGITS[jiao]),
        (0, 0, rest) => text += &format!("{}分", DIGITS[rest]),
        (_, 0, rest) => text += &format!("零{}分", DIGITS[rest]),
        (_, jiao, rest) => text += &format!("{}角{}分", DIGITS[jiao], DIGITS[rest]),
    }
    text
}

/// Up to sixteen digits, in two parts of eight.
fn eights(number: u64) -> String {
    joined(number, 100_000_000, "亿", |part| {
        joined(part, 10_000, "万", fours)
    })
}

/// `number` as its part above `unit`, the unit, the part below it.
fn joined(number: u64, unit: u64, word: &str, part: impl Fn(u64) -> String) -> String {
    let (high, low) = (number / unit, number % unit);
    let mut text = String::new();
    if high > 0 {
        text += &part(high);
        text += word;
        if low > 0 && low < unit / 10 {
            text += DIGITS[0];
        }
    }
    if low > 0 {
        text += &part(low);
    }
    text
}

/// One to four digits, not zero.
fn fours(number: u64) -> String {
    let mut text = String::new();
    let mut gap = false;
    for (unit, word) in PLACES {
        let digit = (number / unit % 10) as usize;
        if digit == 0 {
            gap = !text.is_empty();
            continue;
        }
        if gap {
            text += DIGITS[0];
        }
        gap = false;
        text += DIGITS[digit];
        text += word;
    }
    text
}

#[cfg(test)]
mod tests {
    use super::yuan;

    #[test]
    fn as_vouchers_write_it() {
        for (fen, expected) in [
            (0, "人民币零元整"),
            (1, "人民币壹分"),
            (10, "人民币壹角整"),
            (29, "人民币贰角玖分"),
            (100, "人民币壹元整"),
            (105, "人民币壹元零伍分"),
            (1_000, "人民币壹拾元整"),
            (100_000_000, "人民币壹佰万元整"),
            (140_950, "人民币壹仟肆佰零玖元伍角整"),
            (600_714, "人民币陆仟零柒元壹角肆分"),
            (168_032, "人民币壹仟陆佰捌拾元叁角贰分"),
            (16_700_053, "人民币壹拾陆万柒仟元伍角叁分"),
            (10_010_000, "人民币壹拾万零壹佰元整"),
            (10_000_100, "人民币壹拾万零壹元整"),
            (10_000_000_100, "人民币壹亿零壹元整"),
            (10_010_000_000, "人民币壹亿零壹拾万元整"),
            (
                12_345_678_901,
                "人民币壹亿贰仟叁佰肆拾伍万陆仟柒佰捌拾玖元零壹分",
            ),
            (100_000_000_000_000, "人民币壹万亿元整"),
            (100_010_000_000_000, "人民币壹万零壹亿元整"),
            (
                999_999_999_999_999_999,
                "人民币玖仟玖佰玖拾玖万玖仟玖佰玖拾玖亿玖仟玖佰玖拾玖万玖仟玖佰玖拾玖元玖角玖分",
            ),
        ] {
            assert_eq!(yuan(fen), expected, "{fen}");
        }
    }
}
