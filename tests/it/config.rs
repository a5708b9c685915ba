//! The configuration as an operator meets it: files, variables and flags in, values or problems out.

use std::collections::BTreeSet;
use std::path::Path;

use clearnet::config::{Config, ConfigError, DatabaseConfig, Flags, KeySource, load};
use secrecy::ExposeSecret as _;

const SAMPLE: &str = include_str!("../../config.toml");

/// A file in which everything that has a default is left out.
const LEAST: &str = r#"[[networks]]
name = "polygon-amoy"
chain_id = 80002
rpc_url = "wss://amoy.rpc.example/secret-key"
custody = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"
adjudicator = "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359"
confirmations = 5
[[assets]]
symbol = "usdc"
decimals = 6
[[assets.tokens]]
network = "polygon-amoy"
address = "0x0000000000000000000000000000000000000000"
decimals = 18
"#;

fn load_with(text: &str, variables: &[(&str, &str)], flags: &Flags) -> Result<Config, ConfigError> {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("config.toml");
    std::fs::write(&path, text).unwrap();
    let variables = variables.iter().map(|(name, value)| (name.into(), value.into()));
    load(&path, variables, flags)
}

fn valid(text: &str, variables: &[(&str, &str)]) -> Config {
    load_with(text, variables, &Flags::default()).unwrap()
}

/// The problems as an operator sees them, without the directory of the file.
fn problems(text: &str, variables: &[(&str, &str)]) -> Vec<String> {
    let error = load_with(text, variables, &Flags::default()).unwrap_err();
    let ConfigError::Invalid { problems } = error else { panic!("{error}") };
    let without_directory = |text: String| match text.split_once("/config.toml:") {
        Some((_, rest)) => format!("config.toml:{rest}"),
        None => text,
    };
    problems.iter().map(|problem| without_directory(problem.to_string())).collect()
}

/// What is wrong when one line of [`LEAST`] is replaced.
fn problems_with(line: usize, replacement: &str) -> Vec<String> {
    let mut lines: Vec<&str> = LEAST.lines().collect();
    lines[line - 1] = replacement;
    problems(&lines.join("\n"), &[])
}

/// The file with one more line after the given one.
fn with_line_after(line: usize, addition: &str) -> String {
    let mut lines: Vec<&str> = LEAST.lines().collect();
    lines.insert(line, addition);
    lines.join("\n")
}

#[test]
fn the_sample_is_valid() {
    let config = valid(SAMPLE, &[]);
    assert_eq!(config.networks.len(), 2);
    assert_eq!(config.assets[0].tokens.len(), 2);
}

/// A bogus key in every table makes the reader say which keys the table may have.
#[test]
fn the_sample_names_every_key_and_only_those() {
    const BOGUS: &str = "zzzzzzzzzzzzzzzzzzzz";
    let mut spoiled = format!("{BOGUS} = 0\n");
    let mut written = BTreeSet::new();
    let mut table = String::new();
    for line in SAMPLE.lines() {
        spoiled.push_str(line);
        spoiled.push('\n');
        if let Some(name) = line.strip_prefix('[') {
            table = name.trim_matches(['[', ']']).to_owned();
            written.insert(table.clone());
            spoiled.push_str(&format!("{BOGUS} = 0\n"));
        } else if let Some((key, _)) = line.split_once(" = ").filter(|_| !line.starts_with('#')) {
            written.insert(format!("{table}.{key}"));
        }
    }
    let mut known = BTreeSet::new();
    for problem in problems(&spoiled, &[]) {
        let (place, keys) = problem.split_once(": unknown key, known are ").expect(&problem);
        let table = place.split(' ').nth(1).unwrap().trim_end_matches(BOGUS);
        let table: String = table.chars().filter(|c| !c.is_ascii_digit() && !"[]".contains(*c)).collect();
        known.extend(keys.split(", ").map(|key| format!("{table}{key}")));
    }
    // The one key that must not stand in the file is told of in a comment.
    assert!(known.remove("broker.private_key"));
    assert!(SAMPLE.contains("CLEARNET__BROKER__PRIVATE_KEY"));
    assert_eq!(known, written);
}

#[test]
fn what_is_left_out_has_the_documented_default() {
    let config = valid(LEAST, &[]);
    let KeySource::File(key_file) = config.broker.key else { panic!() };
    assert_eq!(key_file.file_name().unwrap(), "broker.key");
    let DatabaseConfig::Sqlite { path } = config.database else { panic!() };
    assert!(path.ends_with("data/clearnet.db"));
    assert_eq!(config.server.listen.to_string(), "127.0.0.1:8000");
    let network = &config.networks[0];
    assert!(!network.is_dev);
    assert_eq!((network.min_challenge_secs, network.max_challenge_secs), (86_400, 2_592_000));
    assert_eq!(network.start_block, 0);
}

#[test]
fn relative_paths_start_at_the_directory_of_the_file() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("config.toml");
    std::fs::write(&path, LEAST).unwrap();
    let variables = [("CLEARNET__DATABASE__URL".into(), "sqlite:x.db".into())];
    let config = load(&path, variables, &Flags::default()).unwrap();
    let KeySource::File(key_file) = config.broker.key else { panic!() };
    assert_eq!(key_file, directory.path().join("broker.key"));
    let DatabaseConfig::Sqlite { path } = config.database else { panic!() };
    assert_eq!(path, directory.path().join("x.db"));
    let absolute = valid(LEAST, &[("CLEARNET__BROKER__KEY_FILE", "/etc/clearnet/key")]);
    let KeySource::File(key_file) = absolute.broker.key else { panic!() };
    assert_eq!(key_file, Path::new("/etc/clearnet/key"));
}

#[test]
fn a_flag_goes_before_a_variable_and_a_variable_before_the_file() {
    let text = format!("[server]\nlisten = \"127.0.0.1:1\"\n{LEAST}");
    let variable = [("CLEARNET__SERVER__LISTEN", "127.0.0.1:2")];
    assert_eq!(valid(&text, &[]).server.listen.port(), 1);
    assert_eq!(valid(&text, &variable).server.listen.port(), 2);
    let flags = Flags { listen: Some("127.0.0.1:3".to_owned()) };
    assert_eq!(load_with(&text, &variable, &flags).unwrap().server.listen.port(), 3);
}

#[test]
fn variables_reach_every_key_of_a_network_but_its_name() {
    let config = valid(
        LEAST,
        &[
            ("CLEARNET__NETWORKS__POLYGON_AMOY__RPC_URL", "ws://127.0.0.1:8545"),
            ("CLEARNET__NETWORKS__POLYGON_AMOY__CONFIRMATIONS", "0"),
            ("CLEARNET__NETWORKS__POLYGON_AMOY__DEV", "true"),
        ],
    );
    let network = &config.networks[0];
    assert_eq!(network.rpc_url.expose(), "ws://127.0.0.1:8545");
    assert_eq!((network.confirmations, network.is_dev), (0, true));
    assert_eq!(
        problems(LEAST, &[("CLEARNET__NETWORKS__POLYGON_AMOY__NAME", "x")]),
        ["CLEARNET__NETWORKS__POLYGON_AMOY__NAME: unknown variable"]
    );
}

#[test]
fn variables_that_name_no_key_are_errors_and_others_are_not_ours() {
    assert_eq!(
        problems(
            LEAST,
            &[
                ("CLEARNET__SERVER__LISTN", "127.0.0.1:1"),
                ("CLEARNET__server__listen", "127.0.0.1:1"),
                ("CLEARNET__NETWORKS__MUMBAI__RPC_URL", "wss://rpc.example"),
                ("CLEARNET__ASSETS__USDC__DECIMALS", "6"),
            ]
        ),
        [
            "CLEARNET__ASSETS__USDC__DECIMALS: unknown variable",
            "CLEARNET__NETWORKS__MUMBAI__RPC_URL: unknown variable",
            "CLEARNET__SERVER__LISTN: unknown variable, did you mean CLEARNET__SERVER__LISTEN?",
            "CLEARNET__server__listen: unknown variable, did you mean CLEARNET__SERVER__LISTEN?",
        ]
    );
    valid(LEAST, &[("CLEARNET_TEST_POSTGRES_URL", "x"), ("HOME", "/")]);
}

#[test]
fn a_problem_in_a_variable_or_flag_names_it() {
    assert_eq!(
        problems(
            LEAST,
            &[
                ("CLEARNET__NETWORKS__POLYGON_AMOY__CONFIRMATIONS", "many"),
                ("CLEARNET__NETWORKS__POLYGON_AMOY__DEV", "yes"),
                ("CLEARNET__NETWORKS__POLYGON_AMOY__START_BLOCK", "-1"),
            ]
        ),
        [
            "CLEARNET__NETWORKS__POLYGON_AMOY__CONFIRMATIONS: networks[0].confirmations: \
             expected a whole number, got text",
            "CLEARNET__NETWORKS__POLYGON_AMOY__DEV: networks[0].dev: expected true or false, got text",
            "CLEARNET__NETWORKS__POLYGON_AMOY__START_BLOCK: networks[0].start_block: \
             must be 0 to 18446744073709551615",
        ]
    );
    let error = load_with(LEAST, &[], &Flags { listen: Some("8000".to_owned()) }).unwrap_err();
    assert_eq!(
        error.to_string(),
        "invalid configuration, 1 problem found:\n\
         --listen: server.listen: must be an address and a port, such as 127.0.0.1:8000"
    );
}

#[test]
fn a_variable_that_is_not_unicode_is_an_error() {
    use std::os::unix::ffi::OsStringExt as _;

    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("config.toml");
    std::fs::write(&path, LEAST).unwrap();
    let value = std::ffi::OsString::from_vec(vec![0xff]);
    let error = load(&path, [("CLEARNET__SERVER__LISTEN".into(), value)], &Flags::default()).unwrap_err();
    assert!(error.to_string().ends_with("\nCLEARNET__SERVER__LISTEN: not valid unicode"), "{error}");
}

#[test]
fn the_key_comes_from_its_variable_and_never_from_the_file() {
    const KEY: &str = "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80";
    let config = valid(LEAST, &[("CLEARNET__BROKER__PRIVATE_KEY", KEY)]);
    assert!(!format!("{config:?}").contains(&KEY[2..]));
    let KeySource::Environment(key) = config.broker.key else { panic!() };
    assert_eq!(key.expose_secret(), KEY);
    assert_eq!(
        problems(&format!("[broker]\nprivate_key = \"{KEY}\"\n{LEAST}"), &[]),
        ["config.toml:2: broker.private_key: must not stand in the file: set CLEARNET__BROKER__PRIVATE_KEY"]
    );
}

#[test]
fn passwords_and_provider_keys_are_not_shown() {
    let config =
        valid(LEAST, &[("CLEARNET__DATABASE__URL", "postgres://me:hunter2@db.example:5433/book?x=hunter2")]);
    assert_eq!(config.database.to_string(), "postgres://me@db.example:5433/book");
    assert_eq!(config.networks[0].rpc_url.to_string(), "wss://amoy.rpc.example/…");
    let debug = format!("{config:?}");
    assert!(!debug.contains("hunter2") && !debug.contains("secret-key"), "{debug}");
    let wrong = problems(LEAST, &[("CLEARNET__DATABASE__URL", "mysql://me:hunter2@db.example/book")]);
    assert!(!wrong[0].contains("hunter2"), "{wrong:?}");
}

#[test]
fn every_problem_is_reported_at_once_in_the_order_of_the_file() {
    let text = r#"
[broker]
keyfile = "x"

[server]
listen = 8000

[[networks]]
name = "Polygon"
chain_id = 0
rpc_url = "https://rpc.example"
custody = "0x5aaeb6053F3E94C9b9A09f33669435E7Ef1BeAed"

[[assets]]
symbol = "us dc"
decimals = 78
"#;
    assert_eq!(
        problems(text, &[]),
        [
            "config.toml:3: broker.keyfile: unknown key, did you mean key_file?",
            "config.toml:6: server.listen: expected text, got integer",
            "config.toml:8: networks[0].adjudicator: missing",
            "config.toml:8: networks[0].confirmations: missing",
            "config.toml:9: networks[0].name: must be 1 to 32 lower-case letters, digits and dashes, \
             with a letter or digit at either end",
            "config.toml:10: networks[0].chain_id: must be 1 to 9007199254740991",
            "config.toml:11: networks[0].rpc_url: must begin with ws:// or wss://: logs are subscribed to, \
             which plain http cannot do",
            "config.toml:12: networks[0].custody: address checksum does not match, \
             expected 0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
            "config.toml:14: assets[0].tokens: at least one is needed",
            "config.toml:15: assets[0].symbol: asset symbol must have 1 to 16 letters, digits, dots, \
             dashes or underscores",
            "config.toml:16: assets[0].decimals: must be 0 to 77",
        ]
    );
}

/// The table of misspellings: what an operator writes, and which key is meant.
#[test]
fn a_misspelt_key_is_told_which_one_is_meant() {
    let of_network = [
        ("chain_di", "chain_id"),
        ("chainid", "chain_id"),
        ("ChainId", "chain_id"),
        ("RPC_URL", "rpc_url"),
        ("rpc-url", "rpc_url"),
        ("rpc", "rpc_url"),
        ("custdy", "custody"),
        ("adjudicater", "adjudicator"),
        ("confirmation", "confirmations"),
        ("min_challenge", "min_challenge_secs"),
        ("min_challenge_seconds", "min_challenge_secs"),
        ("max_challange_secs", "max_challenge_secs"),
        ("startblock", "start_block"),
    ];
    for (written, meant) in of_network {
        assert_eq!(
            problems(&with_line_after(7, &format!("{written} = 1")), &[]),
            [format!("config.toml:8: networks[0].{written}: unknown key, did you mean {meant}?")]
        );
    }
    let elsewhere = [
        ("[brokr]", "brokr", "broker"),
        ("[broker]\nkeyfile = \"x\"", "broker.keyfile", "key_file"),
        ("[databse]", "databse", "database"),
        ("[database]\nurll = \"x\"", "database.urll", "url"),
        ("[servr]", "servr", "server"),
        ("[server]\nlisten_ = \"x\"", "server.listen_", "listen"),
        ("[[network]]", "network", "networks"),
        ("[[asset]]", "asset", "assets"),
    ];
    for (written, key, meant) in elsewhere {
        let line = written.lines().count();
        let expected = format!("config.toml:{line}: {key}: unknown key, did you mean {meant}?");
        assert!(problems(&format!("{written}\n{LEAST}"), &[]).contains(&expected), "{written}");
    }
    let tokens = [("adress", "address"), ("networks", "network"), ("decimal", "decimals")];
    for (written, meant) in tokens {
        assert_eq!(
            problems(&with_line_after(14, &format!("{written} = 1")), &[]),
            [format!("config.toml:15: assets[0].tokens[0].{written}: unknown key, did you mean {meant}?")]
        );
    }
    // What resembles nothing is answered with all that there is.
    assert_eq!(
        problems(&format!("[server]\nport = 1\n{LEAST}"), &[]),
        ["config.toml:2: server.port: unknown key, known are listen"]
    );
}

/// Every key that has no default is missed by its name, at the line of its table.
#[test]
fn a_missing_key_is_named_at_its_table() {
    let tables = [(1, "networks[0]", 2..=7), (8, "assets[0]", 9..=10), (11, "assets[0].tokens[0]", 12..=14)];
    for (place, table, lines) in tables {
        for line in lines {
            let key = LEAST.lines().nth(line - 1).unwrap().split_once(" = ").unwrap().0;
            let expected = format!("config.toml:{place}: {table}.{key}: missing");
            let found = problems_with(line, "");
            assert!(found.contains(&expected), "{expected}: {found:?}");
        }
    }
}

#[test]
fn every_syntax_error_is_reported_and_nothing_is_guessed_from_a_broken_file() {
    let found = problems("[server]\nlisten = \nport = 5 5\n[[networks]]", &[]);
    assert!(found.len() >= 2, "{found:?}");
    assert!(found[0].starts_with("config.toml:2: "), "{found:?}");
    assert!(found[1].starts_with("config.toml:3: "), "{found:?}");
    assert!(!found.iter().any(|problem| problem.contains("missing")), "{found:?}");
    let twice = problems(&format!("[server]\nlisten = \"a\"\nlisten = \"b\"\n{LEAST}"), &[]);
    assert_eq!(twice, ["config.toml:3: duplicate key"]);
}

#[test]
fn a_file_that_cannot_be_read_is_named() {
    let error = load(Path::new("/no/such/config.toml"), [], &Flags::default()).unwrap_err();
    assert_eq!(error.to_string(), "cannot read /no/such/config.toml");
}

#[test]
fn a_network_is_needed() {
    assert_eq!(problems("", &[]), ["config.toml:1: networks: at least one is needed"]);
    assert_eq!(
        problems("networks = 3", &[]),
        ["config.toml:1: networks: expected a list of tables, got integer"]
    );
    assert_eq!(
        problems("networks = [3]", &[]),
        ["config.toml:1: networks[0]: expected a table, got integer"]
    );
}

#[test]
fn tables_are_tables() {
    let text = format!("server = 3\nassets = 3\n{}", LEAST.split("[[assets]]").next().unwrap());
    assert_eq!(
        problems(&text, &[]),
        [
            "config.toml:1: server: expected a table, got integer",
            "config.toml:2: assets: expected a list of tables, got integer",
        ]
    );
}

#[test]
fn names_of_networks_fit_into_metrics_and_variables() {
    for name in ["", "Polygon", "poly gon", "poly_gon", "-polygon", "polygon-", "pölygon", &"a".repeat(33)] {
        let found = problems_with(2, &format!("name = \"{name}\""));
        assert!(
            found[0].starts_with("config.toml:2: networks[0].name: must be 1 to 32"),
            "{name}: {found:?}"
        );
    }
    let name = format!("{}1", "a-".repeat(15));
    valid(&LEAST.replace("polygon-amoy", &name), &[]);
}

#[test]
fn the_node_is_reached_by_web_socket() {
    let scheme = "config.toml:4: networks[0].rpc_url: must begin with ws:// or wss://: logs are subscribed to, \
                  which plain http cannot do";
    let malformed = "config.toml:4: networks[0].rpc_url: must be a URL with a host, \
                     such as wss://rpc.example/key";
    for url in ["http://rpc.example", "https://rpc.example", "ipc:///tmp/node"] {
        assert_eq!(problems_with(4, &format!("rpc_url = \"{url}\"")), [scheme], "{url}");
    }
    for url in ["", "rpc.example", "wss://"] {
        assert_eq!(problems_with(4, &format!("rpc_url = \"{url}\"")), [malformed], "{url}");
    }
}

#[test]
fn contracts_have_a_checksum_and_are_not_zero_and_not_the_same() {
    assert_eq!(
        problems_with(5, "custody = \"0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed\""),
        ["config.toml:5: networks[0].custody: address has no checksum, \
         write 0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"]
    );
    assert_eq!(
        problems_with(5, "custody = \"0x0000000000000000000000000000000000000000\""),
        ["config.toml:5: networks[0].custody: the zero address is no contract"]
    );
    assert_eq!(
        problems_with(6, "adjudicator = \"0x0000000000000000000000000000000000000000\""),
        ["config.toml:6: networks[0].adjudicator: the zero address is no contract"]
    );
    assert_eq!(
        problems_with(6, "adjudicator = \"0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed\""),
        ["config.toml:6: networks[0].adjudicator: same address as custody: the two are different contracts"]
    );
    assert_eq!(
        problems_with(5, "custody = \"0x5aAe\""),
        ["config.toml:5: networks[0].custody: expected 20 bytes, got 2"]
    );
}

#[test]
fn no_confirmations_only_on_a_dev_network() {
    assert_eq!(
        problems_with(7, "confirmations = 0"),
        ["config.toml:7: networks[0].confirmations: 0 is allowed only with dev = true: \
         a reorg would take back money that was spent"]
    );
    assert_eq!(problems_with(7, "confirmations = 0\ndev = false").len(), 1);
    let dev = LEAST.replace("confirmations = 5", "confirmations = 0\ndev = true");
    assert_eq!(valid(&dev, &[]).networks[0].confirmations, 0);
    assert_eq!(
        problems_with(7, "confirmations = 10001"),
        ["config.toml:7: networks[0].confirmations: must be 0 to 10000"]
    );
}

#[test]
fn challenges_have_bounds_in_the_right_order() {
    let with = |line: &str| problems(&with_line_after(7, line), &[]);
    let (min, max) = ("networks[0].min_challenge_secs", "networks[0].max_challenge_secs");
    assert_eq!(
        with("min_challenge_secs = 3599"),
        [format!("config.toml:8: {min}: must be 3600 to 31536000")]
    );
    assert_eq!(
        with("max_challenge_secs = 31536001"),
        [format!("config.toml:8: {max}: must be 3600 to 31536000")]
    );
    assert_eq!(
        with("max_challenge_secs = 86399"),
        [format!("config.toml:8: {max}: below min_challenge_secs (86400)")]
    );
    // The default of the other one counts too: then the place is the network's.
    assert_eq!(
        with("min_challenge_secs = 2592001"),
        [format!("config.toml:1: {max}: below min_challenge_secs (2592001)")]
    );
    valid(&with_line_after(7, "min_challenge_secs = 3600\nmax_challenge_secs = 3600"), &[]);
}

#[test]
fn numbers_are_whole_and_within_bounds() {
    let wrong = |value: &str| problems_with(7, &format!("confirmations = {value}")).remove(0);
    let range = "config.toml:7: networks[0].confirmations: must be 0 to 10000";
    for value in ["-1", "99999999999999999999999999999999999999999999", "0x2711"] {
        assert_eq!(wrong(value), range, "{value}");
    }
    for (value, actual) in [("1.5", "float"), ("\"5\"", "string"), ("true", "boolean"), ("[]", "array")] {
        let text = "config.toml:7: networks[0].confirmations: expected a whole number, got";
        assert_eq!(wrong(value), format!("{text} {actual}"));
    }
    let hex = LEAST.replace("confirmations = 5", "confirmations = 0x1_0");
    assert_eq!(valid(&hex, &[]).networks[0].confirmations, 16);
}

#[test]
fn networks_are_told_apart_by_name_and_chain() {
    let network = LEAST.split("[[assets]]").next().unwrap();
    let twice = format!("{network}{network}");
    assert_eq!(
        problems(&twice, &[]),
        [
            "config.toml:9: networks[1].name: already used by networks[0].name",
            "config.toml:10: networks[1].chain_id: already used by networks[0].chain_id",
        ]
    );
}

#[test]
fn assets_are_told_apart_by_symbol_and_tokens() {
    let asset = LEAST.split_once("[[assets]]").unwrap().1.replace("usdc", "USDC");
    assert_eq!(
        problems(&format!("{LEAST}[[assets]]{asset}"), &[]),
        [
            "config.toml:16: assets[1].symbol: already used by assets[0].symbol",
            "config.toml:20: assets[1].tokens[0].address: already used by assets[0].tokens[0].address",
        ]
    );
}

#[test]
fn tokens_are_of_a_known_network_and_have_sensible_decimals() {
    assert_eq!(
        problems_with(12, "network = \"polygon-amy\""),
        ["config.toml:12: assets[0].tokens[0].network: no network has this name, did you mean polygon-amoy?"]
    );
    assert_eq!(
        problems_with(12, "network = \"x\""),
        ["config.toml:12: assets[0].tokens[0].network: no network has this name"]
    );
    assert_eq!(
        problems_with(14, "decimals = 78"),
        ["config.toml:14: assets[0].tokens[0].decimals: must be 0 to 77"]
    );
    // A network that is wrong elsewhere is still known.
    assert_eq!(problems_with(3, "chain_id = 0").len(), 1);
}

#[test]
fn the_database_is_a_file_or_a_server() {
    let with = |url: &str| problems(LEAST, &[("CLEARNET__DATABASE__URL", url)]).remove(0);
    let prefix = "CLEARNET__DATABASE__URL: database.url:";
    for url in ["", "clearnet.db", "mysql://x/y", "postgres://host", "postgres://host/", "postgres:book"] {
        assert_eq!(
            with(url),
            format!("{prefix} must be sqlite:PATH or postgres://USER@HOST/DATABASE"),
            "{url}"
        );
    }
    for url in ["sqlite://data/x.db", "sqlite:x.db?mode=rwc", "sqlite:x#y"] {
        assert_eq!(
            with(url),
            format!("{prefix} after sqlite: comes a path, without leading // and without ? or #")
        );
    }
    assert_eq!(with("sqlite:"), format!("{prefix} path is empty"));
    assert_eq!(
        problems(LEAST, &[("CLEARNET__BROKER__KEY_FILE", "")]),
        ["CLEARNET__BROKER__KEY_FILE: broker.key_file: path is empty"]
    );
    for url in ["postgres://me@host/book", "postgresql:///book?host=/run/postgresql"] {
        let config = valid(LEAST, &[("CLEARNET__DATABASE__URL", url)]);
        let DatabaseConfig::Postgres { url: kept, .. } = config.database else { panic!("{url}") };
        assert_eq!(kept.expose_secret(), url);
    }
}

#[test]
fn a_broker_is_live_unless_it_says_otherwise() {
    use clearnet::config::Mode;
    assert_eq!(valid(LEAST, &[]).broker.mode, Mode::Live);
    assert_eq!(valid(&format!("[broker]\nmode = \"live\"\n{LEAST}"), &[]).broker.mode, Mode::Live);
    let dev = LEAST.replace("confirmations = 5", "confirmations = 5\ndev = true");
    assert_eq!(valid(&format!("[broker]\nmode = \"test\"\n{dev}"), &[]).broker.mode, Mode::Test);
    let variable = [("CLEARNET__BROKER__MODE", "test")];
    assert_eq!(valid(&dev, &variable).broker.mode, Mode::Test);
    let said = problems(&format!("[broker]\nmode = \"Test\"\n{dev}"), &[]);
    assert_eq!(said, ["config.toml:2: broker.mode: must be \"live\" or \"test\""]);
}

#[test]
fn test_mode_needs_money_that_is_worth_nothing_on_every_network() {
    let reason =
        "\"test\" needs dev = true on every network, polygon-amoy has not: money is made from nothing";
    let said = problems(&format!("[broker]\nmode = \"test\"\n{LEAST}"), &[]);
    assert_eq!(said, [format!("config.toml:2: broker.mode: {reason}")]);
    // One network of several is enough to refuse it.
    let other =
        LEAST.split("[[assets]]").next().unwrap().replace("polygon-amoy", "other").replace("80002", "7");
    let other = other.replace("confirmations = 5", "confirmations = 0\ndev = true");
    let said = problems(&format!("[broker]\nmode = \"test\"\n{other}{LEAST}"), &[]);
    assert_eq!(said, [format!("config.toml:2: broker.mode: {reason}")]);
    let said = problems(LEAST, &[("CLEARNET__BROKER__MODE", "test")]);
    assert_eq!(said, [format!("CLEARNET__BROKER__MODE: broker.mode: {reason}")]);
}
