//! Rust source as the few tokens that matter to paths: words, `::`, and punctuation. Comments and the insides of
//! strings are left out.

/// One token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Token {
    /// An identifier, a keyword, a number, or the name of a lifetime.
    Word(String),
    /// `::`
    Separator,
    /// Any other character that is not white space.
    Other(char),
}

/// A token and the line it stands in, counted from 1.
pub type Located = (Token, usize);

/// Reads a whole file.
pub fn tokens(source: &str) -> Vec<Located> {
    let mut reader = Reader { chars: source.chars().collect(), at: 0, line: 1 };
    let mut found = Vec::new();
    loop {
        let line = reader.line;
        match reader.next() {
            Some(Some(token)) => found.push((token, line)),
            Some(None) => {}
            None => return found,
        }
    }
}

struct Reader {
    chars: Vec<char>,
    at: usize,
    line: usize,
}

impl Reader {
    fn peek(&self, ahead: usize) -> Option<char> {
        self.chars.get(self.at + ahead).copied()
    }

    fn skip(&mut self, count: usize) {
        for _ in 0..count {
            self.line += usize::from(self.peek(0) == Some('\n'));
            self.at += 1;
        }
    }

    /// `None` at the end of the file, `Some(None)` for what is left out.
    fn next(&mut self) -> Option<Option<Token>> {
        let first = self.peek(0)?;
        match (first, self.peek(1)) {
            ('/', Some('/')) => {
                while self.peek(0).is_some_and(|c| c != '\n') {
                    self.skip(1);
                }
            }
            ('/', Some('*')) => self.block_comment(),
            ('"', _) => self.string(),
            ('r' | 'b' | 'c', _) if self.raw_string() => {}
            // A raw identifier is the word without its mark.
            ('r', Some('#')) if self.peek(2).is_some_and(is_word) => self.skip(2),
            ('\'', Some('\\')) => {
                self.skip(3);
                while self.peek(0).is_some_and(|c| c != '\'') {
                    self.skip(1);
                }
                self.skip(1);
            }
            ('\'', Some(_)) if self.peek(2) == Some('\'') => self.skip(3),
            (':', Some(':')) => {
                self.skip(2);
                return Some(Some(Token::Separator));
            }
            (c, _) if is_word(c) => {
                let start = self.at;
                while self.peek(0).is_some_and(is_word) {
                    self.skip(1);
                }
                return Some(Some(Token::Word(self.chars[start..self.at].iter().collect())));
            }
            (c, _) => {
                self.skip(1);
                return Some((!c.is_whitespace()).then_some(Token::Other(c)));
            }
        }
        Some(None)
    }

    /// Block comments nest.
    fn block_comment(&mut self) {
        let mut depth = 0;
        while self.peek(0).is_some() {
            match (self.peek(0), self.peek(1)) {
                (Some('/'), Some('*')) => depth += 1,
                (Some('*'), Some('/')) => depth -= 1,
                _ => {
                    self.skip(1);
                    continue;
                }
            }
            self.skip(2);
            if depth == 0 {
                return;
            }
        }
    }

    fn string(&mut self) {
        self.skip(1);
        while let Some(c) = self.peek(0) {
            self.skip(if c == '\\' { 2 } else { 1 });
            if c == '"' {
                return;
            }
        }
    }

    /// Skips `r"…"`, `br#"…"#` and the like; says whether there was one.
    fn raw_string(&mut self) -> bool {
        let prefix = usize::from(self.peek(0) != Some('r')) + 1;
        if self.peek(prefix - 1) != Some('r') {
            return false;
        }
        let mut hashes = 0;
        while self.peek(prefix + hashes) == Some('#') {
            hashes += 1;
        }
        if self.peek(prefix + hashes) != Some('"') {
            return false;
        }
        self.skip(prefix + hashes + 1);
        while let Some(c) = self.peek(0) {
            self.skip(1);
            if c == '"' && (0..hashes).all(|n| self.peek(n) == Some('#')) {
                self.skip(hashes);
                break;
            }
        }
        true
    }
}

fn is_word(c: char) -> bool {
    c == '_' || c.is_alphanumeric()
}
