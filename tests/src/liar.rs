//! A node's API behind a proxy that lies. What it changes the caller says, or [`Lie`] draws: one field of
//! one answer, whatever the field is.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rollbook_sandbox::http;
use serde_json::Value;

pub type Alter = dyn Fn(&str, http::Answer) -> http::Answer + Send + Sync;

/// A node's API passed on with changes.
pub struct Proxy {
    pub url: String,
}

impl Proxy {
    pub fn start(
        upstream: SocketAddr,
        alter: impl Fn(&str, http::Answer) -> http::Answer + Send + Sync + 'static,
    ) -> Proxy {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let alter: Arc<Alter> = Arc::new(alter);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let alter = Arc::clone(&alter);
                std::thread::spawn(move || serve(stream, upstream, &*alter));
            }
        });
        Proxy { url }
    }
}

/// Passes one request on.
pub fn serve(mut stream: TcpStream, upstream: SocketAddr, alter: &Alter) -> Option<()> {
    let (mut head, mut byte) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte).ok()?;
        head.push(byte[0]);
    }
    let head = String::from_utf8(head).ok()?;
    let path = head.split(' ').nth(1)?.to_owned();
    let header = |name: &str| {
        head.lines()
            .find_map(|line| {
                line.split_once(':')
                    .filter(|(key, _)| key.eq_ignore_ascii_case(name))
            })
            .map(|(_, value)| value.trim())
    };
    let wait = Duration::from_secs(20);
    let answer = if head.starts_with("POST") {
        let mut body = vec![0; header("content-length")?.parse().ok()?];
        stream.read_exact(&mut body).ok()?;
        http::post(
            upstream,
            &path,
            header("content-type").unwrap_or_default(),
            &body,
            wait,
        )
    } else {
        http::get(upstream, &path, wait)
    };
    let answer = alter(&path, answer.ok()?);
    let head = format!(
        "HTTP/1.1 {} X\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        answer.status,
        answer.body.len()
    );
    stream.write_all(head.as_bytes()).ok()?;
    stream.write_all(&answer.body).ok()
}

/// Every place of a JSON value that holds no others, as a pointer.
pub fn places(value: &Value) -> Vec<String> {
    fn walk(value: &Value, at: &str, found: &mut Vec<String>) {
        match value {
            Value::Object(fields) if !fields.is_empty() => {
                for (name, field) in fields {
                    let name = name.replace('~', "~0").replace('/', "~1");
                    walk(field, &format!("{at}/{name}"), found);
                }
            }
            Value::Array(items) if !items.is_empty() => {
                for (index, item) in items.iter().enumerate() {
                    walk(item, &format!("{at}/{index}"), found);
                }
            }
            _ => found.push(at.to_owned()),
        }
    }
    let mut found = Vec::new();
    walk(value, "", &mut found);
    found
}

/// A small generator with a seed: the same lies in every run.
pub struct Draw(u64);

impl Draw {
    pub fn new(seed: u64) -> Draw {
        Draw(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub fn below(&mut self, most: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % most.max(1) as u64) as usize
    }
}

/// What is put in place of a value: something of its kind that is not it, or something of another kind.
pub fn falsehood(value: &Value, draw: &mut Draw) -> Value {
    let turned = |text: &str, draw: &mut Draw| {
        let mut letters: Vec<char> = text.chars().collect();
        if letters.is_empty() {
            return "x".to_owned();
        }
        let at = draw.below(letters.len());
        letters[at] = match letters[at] {
            '0' => '1',
            'a' => 'b',
            _ => '0',
        };
        letters.into_iter().collect()
    };
    let escape = "\u{1b}[2J\nverified  \u{202e}";
    match (value, draw.below(6)) {
        (Value::String(text), 0..=2) => turned(text, draw).into(),
        (Value::String(text), 3) => format!("{text}{escape}").into(),
        (Value::Number(number), 0) => number.as_u64().unwrap_or(0).wrapping_add(1).into(),
        (Value::Number(_), 1) => u64::MAX.into(),
        (Value::Number(number), 2) => (number.as_u64().unwrap_or(7) / 2).into(),
        (Value::Bool(flag), 0..=2) => (!flag).into(),
        (_, 3) => 0.into(),
        (_, 4) => Value::Null,
        _ => escape.into(),
    }
}

/// One lie: in the `answer`-th answer that goes through, one field or, if it is no JSON, one byte.
pub struct Lie {
    pub answer: usize,
    pub seed: u64,
}

/// What was changed: path of the answer, place, what was there and what stands there now.
pub type Told = Arc<Mutex<Option<String>>>;

/// A proxy that tells this one lie and passes all else on.
pub fn lying(upstream: SocketAddr, lie: Lie) -> (Proxy, Told) {
    let told = Told::default();
    let (kept, count) = (told.clone(), Mutex::new(0));
    let proxy = Proxy::start(upstream, move |path, mut answer| {
        let mut count = count.lock().unwrap();
        *count += 1;
        if *count != lie.answer + 1 || answer.body.is_empty() {
            return answer;
        }
        let mut draw = Draw::new(lie.seed);
        let words;
        match serde_json::from_slice::<Value>(&answer.body) {
            Ok(mut value) => {
                let all = places(&value);
                let place = &all[draw.below(all.len())];
                let field = value.pointer_mut(place).unwrap();
                let before = field.clone();
                *field = falsehood(&before, &mut draw);
                words = format!("{path} {place}: {before} -> {field}");
                answer.body = serde_json::to_vec(&value).unwrap();
            }
            Err(_) => {
                let at = draw.below(answer.body.len());
                answer.body[at] ^= 1 << draw.below(8);
                words = format!("{path}: a bit of byte {at}");
            }
        }
        *kept.lock().unwrap() = Some(words);
        answer
    });
    (proxy, told)
}
