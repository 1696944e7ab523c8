//! A terminal that is drawn again and again: the alternate screen, keys without Enter, everything as
//! it was at the end. Knows termios; does not know what is drawn.

use std::io::{self, IsTerminal, Read, Write};

use nix::sys::termios::{LocalFlags, SetArg, Termios, tcgetattr, tcsetattr};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc;

/// Alternate screen, no cursor, lines cut at the edge instead of going on below.
const TAKE: &str = "\x1b[?1049h\x1b[?25l\x1b[?7l";
const LEAVE: &str = "\x1b[?7h\x1b[?25h\x1b[?1049l";

/// What happens at a terminal.
pub enum Event {
    /// A key.
    Key(u8),
    /// It has another size.
    Resized,
}

/// The screen, until it is dropped.
pub struct Screen {
    before: Termios,
    keys: mpsc::UnboundedReceiver<u8>,
    resized: Signal,
}

impl Screen {
    /// Whether there is a terminal to draw on and to read keys from.
    pub fn is_there() -> bool {
        io::stdin().is_terminal() && io::stdout().is_terminal()
    }

    /// How many lines fit: those that the terminal has now, else 24, one being left for the cursor.
    fn height() -> usize {
        let lines = terminal_size::terminal_size_of(io::stdout()).map(|(_, lines)| usize::from(lines.0));
        lines.filter(|lines| *lines > 0).unwrap_or(24).saturating_sub(1)
    }

    /// Takes the terminal over. Ctrl-C stays a signal.
    ///
    /// # Errors
    /// When the terminal cannot be set.
    pub fn take() -> io::Result<Screen> {
        let before = tcgetattr(io::stdin())?;
        let mut raw = before.clone();
        raw.local_flags.remove(LocalFlags::ICANON | LocalFlags::ECHO);
        tcsetattr(io::stdin(), SetArg::TCSANOW, &raw)?;
        let (send, keys) = mpsc::unbounded_channel();
        std::thread::spawn(move || {
            let mut byte = [0];
            while matches!(io::stdin().read(&mut byte), Ok(1)) && send.send(byte[0]).is_ok() {}
        });
        let screen = Screen { before, keys, resized: signal(SignalKind::window_change())? };
        write(TAKE)?;
        Ok(screen)
    }

    /// What makes the terminal as it was, for an end at which the screen is not dropped.
    pub fn leave(&self) -> impl Fn() + Send + use<> {
        let before = self.before.clone();
        move || leave(&before)
    }

    /// Draws lines from the top; those that do not fit below are left out, and counted on the last line.
    ///
    /// # Errors
    /// When nobody reads.
    pub fn draw(&self, text: &str) -> io::Result<()> {
        let mut drawn = "\x1b[H".to_owned();
        let (height, lines) = (Screen::height(), text.lines().count());
        let shown = if lines > height { height.saturating_sub(1) } else { lines };
        for line in text.lines().take(shown) {
            // Cleared before, not after: behind a line of full width the cursor stands on its last letter.
            drawn.push_str(&format!("\x1b[K{line}\r\n"));
        }
        if lines > shown {
            drawn.push_str(&format!("\x1b[K… and {} more lines: make the terminal higher\r\n", lines - shown));
        }
        drawn.push_str("\x1b[J");
        write(&drawn)
    }

    /// What comes next, whenever it comes; no key after the end of input.
    pub async fn event(&mut self) -> Event {
        tokio::select! {
            Some(key) = self.keys.recv() => Event::Key(key),
            Some(()) = self.resized.recv() => Event::Resized,
            else => std::future::pending().await,
        }
    }
}

fn write(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}

fn leave(before: &Termios) {
    // A terminal that is gone needs no mending.
    let _ = write(LEAVE);
    let _ = tcsetattr(io::stdin(), SetArg::TCSANOW, before);
}

impl Drop for Screen {
    fn drop(&mut self) {
        leave(&self.before);
    }
}
