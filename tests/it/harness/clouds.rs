//! Azure's object store on this machine (Azurite). None could be had that takes uploads as Google's does.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use super::servers;

/// The account that Azurite knows; it is in its documentation.
const ACCOUNT: &str = "devstoreaccount1";
const KEY: &str = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";

/// Signed as Azure wants it.
const MAKE_CONTAINER: &str = "
    const [endpoint, account, key] = process.argv.slice(1);
    const headers = { 'x-ms-date': new Date().toUTCString(), 'x-ms-version': '2021-08-06' };
    const text = 'PUT' + '\\n'.repeat(12) + Object.entries(headers).map(([k, v]) => k + ':' + v + '\\n').join('')
        + '/' + account + '/' + account + '/box\\nrestype:container';
    const sign = require('crypto').createHmac('sha256', Buffer.from(key, 'base64')).update(text).digest('base64');
    headers.Authorization = 'SharedKey ' + account + ':' + sign;
    fetch(endpoint + '/box?restype=container', { method: 'PUT', headers }).then(r => process.exit(r.status === 201 ? 0 : 1));
";

/// A store with one empty bucket; it ends with the test.
pub struct Cloud {
    shell: Child,
    url: String,
    variables: Vec<(&'static str, String)>,
}

impl Cloud {
    /// Azure's; none where Azurite is not installed, which has been said loudly then.
    pub fn azure() -> Option<Cloud> {
        let program = servers::azurite()?;
        let arguments =
            "--blobHost 127.0.0.1 --blobPort 0 --inMemoryPersistence --skipApiVersionCheck --disableTelemetry";
        let mut shell = under_shell(&program, &arguments.split(' ').collect::<Vec<_>>());
        let mut lines = BufReader::new(shell.stdout.take().expect("it is piped")).lines();
        let endpoint = lines
            .by_ref()
            .map_while(std::result::Result::ok)
            .find_map(|line| Some(line.split_once("listens on ")?.1.trim().to_owned()))
            .expect("Azurite says where it listens");
        std::thread::spawn(move || lines.for_each(drop));
        let variables = vec![
            ("AZURE_STORAGE_ACCOUNT", ACCOUNT.to_owned()),
            ("AZURE_STORAGE_KEY", KEY.to_owned()),
            ("AZURE_STORAGE_ENDPOINT", format!("{endpoint}/{ACCOUNT}")),
            ("AZURE_ALLOW_HTTP", "true".to_owned()),
        ];
        Some(Cloud { shell, url: "az://box/cold/store".to_owned(), variables })
    }

    /// Makes Azure's container, which is not there at first.
    pub fn make_container(&self) {
        let endpoint = self.variables().find(|(name, _)| *name == "AZURE_STORAGE_ENDPOINT").expect("it is Azure").1;
        let made = Command::new("node").args(["-e", MAKE_CONTAINER, endpoint, ACCOUNT, KEY]).status();
        assert!(made.expect("node runs Azurite as well").success());
    }

    /// A place in the bucket.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// What the provider's tools would find in their environment.
    pub fn variables(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.variables.iter().map(|(name, value)| (*name, value.as_str()))
    }
}

impl Drop for Cloud {
    fn drop(&mut self) {
        // The end of its input ends the shell, and that the program.
        drop(self.shell.stdin.take());
        let _ = self.shell.wait();
    }
}

/// The program ends with this process, which holds its shell's input.
pub fn under_shell(program: &Path, arguments: &[&str]) -> Child {
    let script = r#""$@" 2>&1 </dev/null & pid=$!; read -r _; kill $pid"#;
    let mut shell = Command::new("/bin/sh");
    shell.args(["-c", script, "sh"]).arg(program).args(arguments);
    shell.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("a shell can be started")
}
