//! Tables as people save them: cells separated by commas, semicolons or tabs, as the head shows;
//! quoted cells, remarks (`# ..`), empty rows, line ends of every kind. One reader for every table
//! that comes in.
//!
//! An apostrophe before a cell that would run as a formula is how this program writes such a cell;
//! it is taken off again.

use super::text::{NoText, text};

/// A table: its head, and its rows with their lines.
#[derive(Debug)]
pub struct Table {
    /// Names of the columns.
    pub head: Vec<String>,
    /// Line of the head, counted from 1.
    pub head_line: usize,
    /// Rows that are not empty.
    pub rows: Vec<Row>,
}

/// A row.
#[derive(Debug)]
pub struct Row {
    /// Its line, counted from 1.
    pub line: usize,
    /// Its cells, trimmed; as many as the row has, whatever the head says.
    pub cells: Vec<String>,
}

/// Reads a table.
pub fn table(bytes: &[u8]) -> Result<Table, NoText> {
    let text = text(bytes)?;
    let (separator, start) = separator(&text);
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(separator)
        .comment(Some(b'#'))
        .trim(csv::Trim::All)
        .from_reader(text.as_bytes().get(start..).unwrap_or_default());
    let mut lines = Lines::new(text.as_bytes());
    let mut rows = Vec::new();
    for row in reader.records() {
        // Text is UTF-8 and rows may have any length: no row can be wrong.
        let row = row.map_err(|_| NoText::Unknown)?;
        let at = row
            .position()
            .map_or(0, |position| position.byte() as usize);
        let line = lines.of(start + at);
        let cells: Vec<String> = row.iter().map(|cell| unquoted(cell).to_owned()).collect();
        if cells.iter().any(|cell| !cell.is_empty()) {
            rows.push(Row { line, cells });
        }
    }
    let head = if rows.is_empty() {
        Row {
            line: 1,
            cells: Vec::new(),
        }
    } else {
        rows.remove(0)
    };
    Ok(Table {
        head: head.cells,
        head_line: head.line,
        rows,
    })
}

/// What separates cells, and where the table begins: as the first line that is no remark shows, or
/// as `sep=;` says, which spreadsheets write and read.
fn separator(text: &str) -> (u8, usize) {
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let head = line.trim();
        if head.is_empty() || head.starts_with('#') {
            start += line.len();
            continue;
        }
        if let Some(&[separator]) = head.strip_prefix("sep=").map(str::as_bytes) {
            return (separator, start + line.len());
        }
        let count = |separator: char| line.matches(separator).count();
        let most = [(',', count(',')), (';', count(';')), ('\t', count('\t'))]
            .into_iter()
            // Of equals the first.
            .rev()
            .max_by_key(|(_, count)| *count);
        return (most.map_or(b',', |(separator, _)| separator as u8), 0);
    }
    (b',', 0)
}

fn unquoted(cell: &str) -> &str {
    match cell.strip_prefix('\'') {
        Some(rest) if rest.starts_with(['=', '+', '-', '@']) => rest,
        _ => cell,
    }
}

/// Line numbers of rows in ascending order. The reader's own count is one short in files with CR
/// LF, and a row's position may lie before the remarks and empty lines in front of it.
struct Lines<'a> {
    bytes: &'a [u8],
    at: usize,
    line: usize,
}

impl Lines<'_> {
    /// At the beginning of a file.
    fn new(bytes: &[u8]) -> Lines<'_> {
        Lines {
            bytes,
            at: 0,
            line: 1,
        }
    }

    /// The line of the row that begins at or after byte `start`.
    fn of(&mut self, start: usize) -> usize {
        while self.at < start {
            self.step();
        }
        // What is left of the line end before, remarks, empty lines.
        while let Some(byte) = self.bytes.get(self.at) {
            match byte {
                b'\r' | b'\n' => self.step(),
                b'#' => {
                    while self.bytes.get(self.at).is_some_and(|byte| *byte != b'\n') {
                        self.step();
                    }
                }
                _ => break,
            }
        }
        self.line
    }

    fn step(&mut self) {
        if self.bytes.get(self.at) == Some(&b'\n') {
            self.line += 1;
        }
        self.at += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<(usize, String)> {
        let table = table(text.as_bytes()).unwrap();
        let head = (table.head_line, table.head.join("|"));
        let rows = table
            .rows
            .into_iter()
            .map(|row| (row.line, row.cells.join("|")));
        std::iter::once(head).chain(rows).collect()
    }

    fn told(rows: &[(usize, &str)]) -> Vec<(usize, String)> {
        rows.iter()
            .map(|(line, text)| (*line, (*text).to_owned()))
            .collect()
    }

    #[test]
    fn commas_semicolons_and_tabs_are_seen() {
        for separator in [",", ";", "\t"] {
            let text = "# of 2023\nnumber,name\n\n1,\"A, B; C\td\"\n,\n2, x \n".to_owned();
            let text = text.replace("number,name", &format!("number{separator}name"));
            let text = text.replace("1,\"", &format!("1{separator}\""));
            let text = text.replace("\n,\n", &format!("\n{separator}\n"));
            let text = text.replace("2, x", &format!("2{separator} x"));
            let rows = told(&[(2, "number|name"), (4, "1|A, B; C\td"), (6, "2|x")]);
            assert_eq!(read(&text), rows, "{text:?}");
            assert_eq!(read(&text.replace('\n', "\r\n")), rows);
            assert_eq!(read(&format!("\u{feff}{text}")), rows);
        }
        let rows = told(&[(2, "a|b,c"), (3, "1|2")]);
        assert_eq!(read("sep=;\na;b,c\n1;2\n"), rows);
        assert_eq!(read(""), told(&[(1, "")]));
    }

    /// Line ends of every kind, remarks, empty lines, a quoted name over two lines: the row's own
    /// line is named.
    #[test]
    fn lines_are_those_of_the_file() {
        let text = "# a remark\na,b\n?,x\n# another\n\n!,x\n\"y\",\"a\nb\"\n%,x\n";
        let rows = told(&[
            (2, "a|b"),
            (3, "?|x"),
            (6, "!|x"),
            (7, "y|a\nb"),
            (9, "%|x"),
        ]);
        assert_eq!(read(text), rows);
    }

    #[test]
    fn a_cell_of_this_program_comes_back() {
        assert_eq!(
            read("a\n'=1+1\n'x\n"),
            told(&[(1, "a"), (2, "=1+1"), (3, "'x")])
        );
    }
}
