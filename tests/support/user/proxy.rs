//! A man in the middle of the ECR API: he answers some requests himself and hands the others on to a server.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// What he answers himself, by the action, as in `CreateRepository`: the status and the body. `None` hands it on.
type Rule = dyn Fn(&str) -> Option<(u16, String)> + Send + Sync;

/// The server that a request is for, by the region that it was signed for.
type Road = dyn Fn(&str) -> String + Send + Sync;

/// The man in the middle; he stays until the tests end.
pub struct Proxy {
    /// His address, for `AWS_ENDPOINT_URL_ECR`.
    pub endpoint: String,
    seen: Arc<Mutex<Vec<(String, String)>>>,
}

impl Proxy {
    /// Stands before a server, whose address is empty if the rule answers everything.
    pub fn start(upstream: &str, rule: impl Fn(&str) -> Option<(u16, String)> + Send + Sync + 'static) -> Self {
        let upstream = upstream.to_owned();
        Self::before(move |_| upstream.clone(), rule)
    }

    /// Stands before one server for each region, which answers for that region alone, as ECR's endpoints do.
    pub fn of_regions(servers: &[(&str, &str)]) -> Self {
        let servers: Vec<(String, String)> =
            servers.iter().map(|(region, endpoint)| ((*region).to_owned(), (*endpoint).to_owned())).collect();
        let of = move |region: &str| {
            let found = servers.iter().find(|(known, _)| known == region);
            found.map(|(_, endpoint)| endpoint.clone()).unwrap_or_default()
        };
        Self::before(of, |_| None)
    }

    fn before(
        road: impl Fn(&str) -> String + Send + Sync + 'static,
        rule: impl Fn(&str) -> Option<(u16, String)> + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let road: Arc<Road> = Arc::new(road);
        let seen = Arc::<Mutex<Vec<(String, String)>>>::default();
        let (rule, noted): (Arc<Rule>, _) = (Arc::new(rule), Arc::clone(&seen));
        std::thread::spawn(move || {
            for client in listener.incoming() {
                let (rule, seen, road) = (Arc::clone(&rule), Arc::clone(&noted), Arc::clone(&road));
                // A client that goes away in between is its own affair.
                std::thread::spawn(move || answer(client?, &*road, &*rule, &seen));
            }
        });
        Proxy { endpoint, seen }
    }

    /// The actions that were asked for, in order.
    pub fn actions(&self) -> Vec<String> {
        self.seen.lock().unwrap().iter().map(|(action, _)| action.clone()).collect()
    }

    /// The answers to an action.
    pub fn answers(&self, action: &str) -> Vec<String> {
        let seen = self.seen.lock().unwrap();
        seen.iter().filter(|(known, _)| known == action).map(|(_, answer)| answer.clone()).collect()
    }
}

/// Answers one request and closes the connection.
fn answer(mut client: TcpStream, road: &Road, rule: &Rule, seen: &Mutex<Vec<(String, String)>>) -> std::io::Result<()> {
    let (head, body) = read_message(&mut BufReader::new(client.try_clone()?))?;
    let target = head.iter().find(|line| line.to_lowercase().starts_with("x-amz-target:"));
    let action = target.and_then(|line| line.rsplit('.').next()).unwrap_or_default().to_owned();
    let place = {
        let mut seen = seen.lock().unwrap();
        seen.push((action.clone(), String::new()));
        seen.len() - 1
    };
    let answered = match rule(&action) {
        Some((status, body)) => (format!("HTTP/1.1 {status} Said"), body.into_bytes()),
        None => {
            // As in `Credential=AKIA…/20260301/eu-west-1/ecr/aws4_request`.
            let signed = head.iter().find(|line| line.to_lowercase().starts_with("authorization:"));
            let region = signed.and_then(|line| line.split('/').nth(2)).unwrap_or_default();
            let upstream = road(region);
            let mut server = TcpStream::connect(upstream.trim_start_matches("http://"))?;
            write_message(&mut server, &head[0], &head[1..], &body)?;
            let (head, body) = read_message(&mut BufReader::new(server))?;
            (head[0].clone(), body)
        }
    };
    seen.lock().unwrap()[place].1 = String::from_utf8_lossy(&answered.1).into_owned();
    write_message(&mut client, &answered.0, &["content-type: application/x-amz-json-1.1".to_owned()], &answered.1)
}

/// The lines of the head, and the body.
fn read_message(from: &mut impl BufRead) -> std::io::Result<(Vec<String>, Vec<u8>)> {
    let mut head = Vec::new();
    loop {
        let mut line = String::new();
        if from.read_line(&mut line)? == 0 || line == "\r\n" {
            break;
        }
        head.push(line.trim_end().to_owned());
    }
    if head.is_empty() {
        return Err(std::io::ErrorKind::UnexpectedEof.into());
    }
    let length = head.iter().find_map(|line| line.to_lowercase().strip_prefix("content-length:")?.trim().parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    from.read_exact(&mut body)?;
    Ok((head, body))
}

fn write_message(to: &mut impl Write, first: &str, headers: &[String], body: &[u8]) -> std::io::Result<()> {
    let own = ["connection:", "content-length:"];
    let kept = headers.iter().filter(|line| !own.iter().any(|name| line.to_lowercase().starts_with(name)));
    let mut text = format!("{first}\r\n");
    for line in kept {
        text.push_str(&format!("{line}\r\n"));
    }
    text.push_str(&format!("connection: close\r\ncontent-length: {}\r\n\r\n", body.len()));
    to.write_all(text.as_bytes())?;
    to.write_all(body)
}
