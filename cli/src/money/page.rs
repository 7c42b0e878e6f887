//! Printed pages of money: statements and the like on A4, in both scripts, one HTML file without outside
//! parts. What comes from the ledger is escaped; the footer says what the page rests on.

use rollbook_core::account::Unit;
use rollbook_words::capital::yuan;
use rollbook_words::catalogue::{Language, t_in};

use super::Book;
use crate::output::escape;

/// A text in both languages.
pub fn both(key: &str, facts: &[(&str, String)]) -> String {
    let (chinese, english) = (
        t_in(Language::Chinese, key, facts),
        t_in(Language::English, key, facts),
    );
    if chinese == english {
        english
    } else {
        format!("{chinese} / {english}")
    }
}

/// An amount with its unit; yuan in Chinese capital form as well.
pub fn amount(unit: &Unit, minor: i128) -> String {
    let plain = unit.money(minor).to_string();
    match u64::try_from(minor) {
        Ok(fen) if unit.code() == "CNY" => format!("{plain}  {}", yuan(fen)),
        _ => plain,
    }
}

/// A page.
#[derive(Debug, Default)]
pub struct Page {
    title: String,
    body: String,
}

impl Page {
    /// With its title.
    pub fn new(title: String) -> Page {
        Page {
            title,
            body: String::new(),
        }
    }

    /// A heading.
    pub fn heading(&mut self, text: &str) {
        self.body += &format!("<h2>{}</h2>\n", escape(text));
    }

    /// Labels with what stands beside them.
    pub fn facts(&mut self, rows: &[(String, String)]) {
        self.body += "<table>\n";
        for (label, value) in rows {
            self.body += &format!(
                "<tr><th>{}</th><td>{}</td></tr>\n",
                escape(label),
                escape(value)
            );
        }
        self.body += "</table>\n";
    }

    /// A table with its head; `keys` are columns of the catalogue.
    pub fn table(&mut self, keys: &[&str], rows: &[Vec<String>]) {
        let head = keys
            .iter()
            .map(|key| format!("<td>{}</td>", escape(&both(&format!("column.{key}"), &[]))));
        self.body += &format!(
            "<table class=\"lines\">\n<tr>{}</tr>\n",
            head.collect::<String>()
        );
        for row in rows {
            let cells = row.iter().map(|cell| format!("<td>{}</td>", escape(cell)));
            self.body += &format!("<tr>{}</tr>\n", cells.collect::<String>());
        }
        self.body += "</table>\n";
    }

    /// The file.
    pub fn html(&self, book: &Book) -> String {
        let sample = if book.is_sample() {
            format!(
                "<p class=\"sample\">SAMPLE. {}</p>\n",
                escape(&both("page.sample", &[]))
            )
        } else {
            String::new()
        };
        format!(
            "<!DOCTYPE html>\n<html lang=\"zh\"><head><meta charset=\"utf-8\"><title>{title}</title>\n\
             <style>\n@page {{ size: A4; margin: 18mm }}\nbody {{ font: 10.5pt/1.5 \"Noto Serif CJK \
             SC\", \"Songti SC\", SimSun, serif; max-width: 174mm; margin: auto }}\nh1 \
             {{ font-size: 16pt }} table {{ border-collapse: collapse; width: 100% }} th, td \
             {{ border: 0.4pt solid #000; padding: 1.5mm; text-align: left; vertical-align: top; \
             overflow-wrap: anywhere }} th {{ width: 30%; font-weight: normal }} .lines td \
             {{ font-size: 8.5pt }} .sample {{ border: 1pt solid #000; padding: 2mm }} footer \
             {{ margin-top: 6mm; font-size: 8.5pt }}\n</style></head><body>\n<h1>{title}</h1>\n\
             {sample}{body}<footer>{from}</footer>\n</body></html>\n",
            title = escape(&self.title),
            body = self.body,
            from = escape(&book.from()),
        )
    }
}
