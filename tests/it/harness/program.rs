//! The built program, run as a stranger would: an empty environment but PATH, a home of its own.

use std::io::Read;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::{Arc, Condvar, Mutex, OnceLock};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// How long a program may run before the test fails.
const PATIENCE: Duration = Duration::from_secs(120);

/// The built program with arguments: PATH, a HOME and TMPDIR of this test process, and where the
/// servers are; nothing else of our environment. `current_dir` is the home too.
pub fn dbctl(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_dbctl"));
    command.args(args).env_clear().current_dir(home()).stdin(Stdio::null());
    for kept in ["PATH", "DBCTL_PG_BIN", "DBCTL_PG_HOME", "LLVM_PROFILE_FILE"] {
        if let Some(value) = std::env::var_os(kept) {
            command.env(kept, value);
        }
    }
    command.env("HOME", home()).env("TMPDIR", home()).env("DBCTL_CACHE_DIR", cache());
    command
}

/// The HOME of the programs of this test process: empty at first.
pub fn home() -> &'static Path {
    static HOME: OnceLock<PathBuf> = OnceLock::new();
    HOME.get_or_init(|| {
        let all = Path::new(env!("CARGO_TARGET_TMPDIR"));
        forget_the_dead(all);
        let home = all.join(format!("home-{}", std::process::id()));
        std::fs::create_dir_all(&home).expect("a test folder can be made");
        home
    })
}

/// Template clusters, shared by all test processes.
fn cache() -> PathBuf {
    match std::env::var_os("DBCTL_CACHE_DIR") {
        Some(folder) => PathBuf::from(folder),
        None => std::env::temp_dir().join("dbctl-test-cache"),
    }
}

/// Homes of test processes that ended: nothing runs at the end of one that could remove its own.
fn forget_the_dead(all: &Path) {
    for entry in std::fs::read_dir(all).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let owner = name.strip_prefix("home-").and_then(|pid| pid.parse::<i32>().ok());
        if owner.is_some_and(|pid| kill(Pid::from_raw(pid), None) == Err(nix::errno::Errno::ESRCH)) {
            let _ = std::fs::remove_dir_all(entry.path());
        }
    }
}

/// What a program did.
#[derive(Debug)]
pub struct Run {
    /// The exit code; 128 + signal when a signal ended it, as shells say it.
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
    pub pid: u32,
}

impl Run {
    /// Panics with everything said unless the exit code is as expected; the run, for more questions.
    #[track_caller]
    pub fn expect_code(self, code: i32) -> Run {
        assert!(
            self.code == code,
            "exit code {} instead of {code}\n--- stdout\n{}\n--- stderr\n{}",
            self.code,
            self.stdout,
            self.stderr
        );
        self
    }
}

/// Runs to the end (at most 120 s).
#[track_caller]
pub fn run(command: &mut Command) -> Run {
    spawn(command).wait()
}

/// Starts; stdout and stderr are collected meanwhile.
#[track_caller]
pub fn spawn(command: &mut Command) -> Child {
    let program = command.get_program().to_string_lossy().into_owned();
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut process = command.spawn().unwrap_or_else(|error| panic!("cannot run {program}: {error}"));
    let stdout = Collected::from(process.stdout.take().expect("stdout is piped"));
    let stderr = Collected::from(process.stderr.take().expect("stderr is piped"));
    Child { process, stdout, stderr }
}

/// A program under way; killed when dropped.
pub struct Child {
    process: std::process::Child,
    stdout: Collected,
    stderr: Collected,
}

impl Child {
    pub fn pid(&self) -> u32 {
        self.process.id()
    }

    /// Sends a signal.
    pub fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.process.id().cast_signed()), signal).expect("the program still runs");
    }

    /// What it has written to stderr so far.
    pub fn stderr(&self) -> String {
        self.stderr.text()
    }

    /// What it has written to stdout so far.
    pub fn stdout(&self) -> String {
        self.stdout.text()
    }

    /// Waits until stderr contains a text (at most 30 s).
    #[track_caller]
    pub fn wait_for_stderr(&self, wanted: &str) {
        if let Err(said) = self.stderr.wait_for(wanted) {
            panic!("stderr never said {wanted:?}, but:\n{said}");
        }
    }

    /// Waits until stdout contains a text (at most 30 s).
    #[track_caller]
    pub fn wait_for_stdout(&self, wanted: &str) {
        if let Err(said) = self.stdout.wait_for(wanted) {
            panic!("stdout never said {wanted:?}, but:\n{said}\n--- stderr\n{}", self.stderr());
        }
    }

    /// Whether it has ended.
    pub fn has_ended(&mut self) -> bool {
        matches!(self.process.try_wait(), Ok(Some(_)))
    }

    /// Waits for the end (at most 120 s).
    #[track_caller]
    pub fn wait(mut self) -> Run {
        let deadline = Instant::now() + PATIENCE;
        let status = loop {
            match self.process.try_wait() {
                Ok(Some(status)) => break status,
                Ok(None) if Instant::now() < deadline => std::thread::sleep(Duration::from_millis(3)),
                Ok(None) => {
                    let (stdout, stderr) = (self.stdout(), self.stderr());
                    panic!("still running after 120 s\n--- stdout\n{stdout}\n--- stderr\n{stderr}")
                }
                Err(error) => panic!("cannot wait: {error}"),
            }
        };
        let pid = self.pid();
        Run { code: code_of(status), stdout: self.stdout.rest(), stderr: self.stderr.rest(), pid }
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        if !self.has_ended() {
            let _ = self.process.kill();
            let _ = self.process.wait();
        }
    }
}

fn code_of(status: ExitStatus) -> i32 {
    status.code().or_else(|| status.signal().map(|signal| 128 + signal)).unwrap_or(-1)
}

/// One output stream, read by a thread.
struct Collected {
    shared: Arc<(Mutex<State>, Condvar)>,
    reader: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct State {
    bytes: Vec<u8>,
    ended: bool,
}

impl Collected {
    fn from(mut stream: impl Read + Send + 'static) -> Collected {
        let shared = Arc::new((Mutex::new(State::default()), Condvar::new()));
        let write = Arc::clone(&shared);
        let reader = std::thread::spawn(move || {
            let mut buffer = [0; 8192];
            loop {
                let read = stream.read(&mut buffer).unwrap_or(0);
                let mut state = write.0.lock().expect("no holder panics");
                state.bytes.extend_from_slice(&buffer[..read]);
                state.ended = read == 0;
                write.1.notify_all();
                if read == 0 {
                    return;
                }
            }
        });
        Collected { shared, reader: Some(reader) }
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.shared.0.lock().expect("no holder panics").bytes).into_owned()
    }

    /// Everything; a grandchild that holds the stream open must not hold the test: 5 s for it.
    fn rest(&mut self) -> String {
        let (lock, changed) = &*self.shared;
        let state = lock.lock().expect("no holder panics");
        let (state, timeout) =
            changed.wait_timeout_while(state, Duration::from_secs(5), |state| !state.ended).expect("no holder panics");
        drop(state);
        if !timeout.timed_out()
            && let Some(reader) = self.reader.take()
        {
            let _ = reader.join();
        }
        self.text()
    }

    fn wait_for(&self, wanted: &str) -> Result<(), String> {
        let deadline = Instant::now() + Duration::from_secs(30);
        let (lock, changed) = &*self.shared;
        let mut state = lock.lock().expect("no holder panics");
        loop {
            let text = String::from_utf8_lossy(&state.bytes).into_owned();
            if text.contains(wanted) {
                return Ok(());
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() || state.ended {
                return Err(text);
            }
            state = changed.wait_timeout(state, left).expect("no holder panics").0;
        }
    }
}
