//! `docker-compose.yml` and `Dockerfile`: what they name exists in the program and in the repository.
//!
//! Both are read line by line, as far as this repository uses them; a line that is written in another way is found
//! because what should be there is missed.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use clap::Parser as _;
use clearnet::cli::Cli;
use clearnet::config::{Flags, load};
use serde_json::Value;

const COMPOSE: &str = include_str!("../../../docker-compose.yml");
const DOCKERFILE: &str = include_str!("../../../Dockerfile");

/// The keys under each service, each with its value and what is indented below it.
fn services() -> BTreeMap<String, BTreeMap<String, String>> {
    let (mut services, mut service, mut key) = (BTreeMap::new(), String::new(), String::new());
    let body = COMPOSE.split_once("\nservices:\n").unwrap().1.split_once("\nvolumes:\n").unwrap().0;
    for line in body.lines().filter(|line| !line.trim().is_empty()) {
        let depth = line.len() - line.trim_start().len();
        let (name, value) = line.trim().split_once(':').unwrap_or((line.trim(), ""));
        match depth {
            2 => service = name.to_owned(),
            4 => {
                key = name.to_owned();
                let keys: &mut BTreeMap<String, String> = services.entry(service.clone()).or_default();
                keys.insert(key.clone(), value.trim().to_owned());
            }
            _ => {
                let text = services.get_mut(&service).and_then(|keys| keys.get_mut(&key)).unwrap();
                text.push('\n');
                text.push_str(line.trim());
            }
        }
    }
    services
}

/// The instructions of the Dockerfile per stage, with continued lines joined.
fn stages() -> BTreeMap<String, Vec<(String, String)>> {
    let (mut stages, mut stage) = (BTreeMap::<String, Vec<_>>::new(), String::new());
    let joined = DOCKERFILE.replace("\\\n", " ");
    for line in joined.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let (instruction, rest) = line.split_once(' ').unwrap();
        if instruction == "FROM" {
            stage = rest.rsplit(" AS ").next().unwrap().to_owned();
        }
        stages.entry(stage.clone()).or_default().push((instruction.to_owned(), rest.trim().to_owned()));
    }
    stages
}

/// What an instruction of a stage says, each time it is there.
fn said(stage: &str, instruction: &str) -> Vec<String> {
    let stages = stages();
    let of_stage = stages.get(stage).unwrap_or_else(|| panic!("no stage {stage}"));
    of_stage.iter().filter(|(name, _)| name == instruction).map(|(_, rest)| rest.clone()).collect()
}

/// A list as JSON has it, which is how both files write commands.
fn list(text: &str) -> Vec<String> {
    let list: Vec<Value> = serde_json::from_str(text).unwrap_or_else(|_| panic!("no list: {text}"));
    list.iter().map(|item| item.as_str().unwrap().to_owned()).collect()
}

/// Whether the program would take this command line.
fn is_understood(arguments: &[String]) {
    let line = ["clearnet".to_owned()].into_iter().chain(arguments.iter().cloned());
    if let Err(error) = Cli::try_parse_from(line) {
        panic!("{arguments:?}: {error}");
    }
}

#[test]
fn commands_are_those_of_the_program() {
    assert_eq!(said("broker", "ENTRYPOINT"), [r#"["clearnet"]"#]);
    for command in said("broker", "CMD") {
        is_understood(&list(&command));
    }
    let mut ours = 0;
    for (name, keys) in services() {
        let target = keys.get("build").and_then(|build| build.split("target: ").nth(1));
        let Some(target) = target else { continue };
        assert!(stages().contains_key(target), "{name}: no stage {target}");
        if let Some(command) = keys.get("command").filter(|_| target == "broker") {
            is_understood(&list(command));
            ours += 1;
        }
    }
    assert_eq!(ours, 1, "the contracts are deployed by a command of ours");
}

/// What is copied exists, and what commands name was copied there.
#[test]
fn files_exist() {
    let top = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut copied = BTreeSet::new();
    for copy in said("broker", "COPY").iter().filter(|copy| !copy.starts_with("--from=")) {
        let mut words: Vec<&str> = copy.split(' ').collect();
        let to = words.pop().unwrap();
        for from in words {
            assert!(top.join(from).is_file(), "{from}");
            copied.insert(format!("{to}{}", from.rsplit('/').next().unwrap()));
        }
    }
    let commands = said("broker", "CMD").into_iter();
    let commands = commands.chain(services().into_values().filter_map(|keys| keys.get("command").cloned()));
    let named: BTreeSet<String> =
        commands.flat_map(|command| list(&command)).filter(|word| word.starts_with('/')).collect();
    assert_eq!(named, copied, "what is named is what is copied");
    assert_eq!(
        said("build", "RUN").iter().filter(|run| run.contains("cargo build --release --locked")).count(),
        1
    );
}

/// The variables that the broker gets are keys of the configuration, which is valid with them and without them.
#[test]
fn variables_are_keys_and_the_configuration_is_valid() {
    let environment = services()["broker"]["environment"].clone();
    let variables: Vec<(String, String)> = environment
        .lines()
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_owned(), value.trim_matches('"').to_owned()))
        .collect();
    assert!(!variables.is_empty() && variables.iter().all(|(name, _)| name.starts_with("CLEARNET__")));
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docker/config.toml");
    let config = load(&path, [], &Flags::default()).unwrap();
    let variables = variables.into_iter().map(|(name, value)| (name.into(), value.into()));
    load(&path, variables, &Flags::default()).unwrap();
    // Nodes and databases are services of that name.
    let services = services();
    let hosts = [config.networks[0].rpc_url.expose().to_owned(), config.database.to_string(), environment];
    for host in hosts.iter().map(|url| url.rsplit("://").next().unwrap()) {
        let host = host.rsplit('@').next().unwrap().split([':', '/']).next().unwrap();
        assert!(services.contains_key(host), "{host} is no service");
    }
}

#[test]
fn ports_are_on_loopback_and_others_wait_until_what_they_need_is_there() {
    let services = services();
    let mut published = 0;
    for (name, keys) in &services {
        for port in keys.get("ports").map(|ports| list(ports)).unwrap_or_default() {
            assert!(port.starts_with("127.0.0.1:"), "{name}: {port}");
            published += 1;
        }
        let needs = keys.get("depends_on").cloned().unwrap_or_default();
        let lines: Vec<&str> = needs.lines().filter(|line| !line.is_empty()).collect();
        for pair in lines.chunks(2) {
            let [other, condition] = pair else { panic!("{name}: {needs}") };
            let needed =
                services.get(other.trim_end_matches(':')).unwrap_or_else(|| panic!("{name}: {other}"));
            if condition.ends_with(" service_healthy") {
                assert!(needed.contains_key("healthcheck"), "{name} waits for {other}");
            }
        }
    }
    assert_eq!(published, 2);
    let health = &services["broker"]["healthcheck"];
    assert!(health.contains("GET /readyz "), "{health}");
    let exposed = said("broker", "EXPOSE");
    assert!(health.contains(&format!("/dev/tcp/127.0.0.1/{}", exposed[0])), "{health}");
    assert!(services["broker"]["ports"].contains(&format!(":{}\"", exposed[0])));
    let listens = said("broker", "CMD").concat();
    assert!(listens.contains(&format!(":{}\"", exposed[0])), "{listens}");
}
