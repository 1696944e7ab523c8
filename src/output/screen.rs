//! A terminal that is drawn again and again: the alternate screen, keys without Enter, everything as
//! it was at the end. Knows termios; does not know what is drawn.

use std::io::{self, IsTerminal, Read, Write};

use nix::sys::termios::{LocalFlags, SetArg, Termios, tcgetattr, tcsetattr};
use tokio::sync::mpsc;

/// The screen, until it is dropped.
pub struct Screen {
    before: Termios,
    keys: mpsc::UnboundedReceiver<u8>,
}

impl Screen {
    /// Whether there is a terminal to draw on and to read keys from.
    pub fn is_there() -> bool {
        io::stdin().is_terminal() && io::stdout().is_terminal()
    }

    /// How many lines it has: LINES, else 24, one being left for the cursor.
    pub fn height() -> usize {
        let lines = std::env::var("LINES").ok().and_then(|lines| lines.parse::<usize>().ok());
        lines.unwrap_or(24).saturating_sub(1)
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
        let screen = Screen { before, keys };
        screen.write("\x1b[?1049h\x1b[?25l")?;
        Ok(screen)
    }

    /// Draws lines from the top; those that do not fit below are left out.
    ///
    /// # Errors
    /// When nobody reads.
    pub fn draw(&self, text: &str, height: usize) -> io::Result<()> {
        let mut drawn = "\x1b[H".to_owned();
        for line in text.lines().take(height) {
            drawn.push_str(&format!("{line}\x1b[K\r\n"));
        }
        drawn.push_str("\x1b[J");
        self.write(&drawn)
    }

    /// The next key, whenever it comes; never after the end of input.
    pub async fn key(&mut self) -> u8 {
        match self.keys.recv().await {
            Some(key) => key,
            None => std::future::pending().await,
        }
    }

    fn write(&self, text: &str) -> io::Result<()> {
        let mut out = io::stdout().lock();
        out.write_all(text.as_bytes())?;
        out.flush()
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        // A terminal that is gone needs no mending.
        let _ = self.write("\x1b[?25h\x1b[?1049l");
        let _ = tcsetattr(io::stdin(), SetArg::TCSANOW, &self.before);
    }
}
