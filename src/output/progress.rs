//! How far the work is, on standard error. Draws only on a terminal; knows indicatif, not what is done.

use std::borrow::Cow;
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::visible;

/// Draws bars on standard error, or nothing at all.
#[derive(Debug, Clone)]
pub struct Progress {
    bars: Option<MultiProgress>,
    color: bool,
}

/// One bar or spinner. Dropping it removes it from the screen.
#[derive(Debug)]
pub struct Bar {
    drawn: Option<(MultiProgress, ProgressBar)>,
}

impl Progress {
    /// Bars are drawn when `enabled` (neither `--no-progress` nor `-q`) and standard error is a terminal.
    pub fn new(enabled: bool, color: bool) -> Progress {
        let target = ProgressDrawTarget::stderr();
        let bars = (enabled && !target.is_hidden()).then(|| MultiProgress::with_draw_target(target));
        Progress { bars, color }
    }

    /// A bar of `len` steps.
    pub fn bar(&self, len: u64, label: &str) -> Bar {
        let bar = if self.color { "{bar:20.cyan/dim}" } else { "{bar:20}" };
        self.draw(label, || {
            let style = styled(&format!("{{prefix}} {bar} {{human_pos}}/{{human_len}}  {{wide_msg}}"));
            ProgressBar::new(len).with_style(style.progress_chars("##-"))
        })
    }

    /// A sign of life for work whose length is not known.
    pub fn spinner(&self, label: &str) -> Bar {
        let bar = self.draw(label, || {
            let style = styled("{spinner} {prefix}  {elapsed}  {wide_msg}").tick_chars("|/-\\ ");
            ProgressBar::new_spinner().with_style(style)
        });
        if let Some((_, bar)) = &bar.drawn {
            bar.enable_steady_tick(Duration::from_millis(120));
        }
        bar
    }

    /// Runs `talk`, which may print to standard error, with all bars out of its way. It runs also when
    /// nothing is drawn: for what must be said in any case.
    pub fn suspend<T>(&self, talk: impl FnOnce() -> T) -> T {
        match &self.bars {
            Some(bars) => bars.suspend(talk),
            None => talk(),
        }
    }

    /// A line above the bars; nothing when no bar could be drawn.
    pub fn println(&self, line: &str) {
        if let Some(bars) = &self.bars {
            // A terminal that has gone away does not stop the work.
            let _ = bars.println(visible(line));
        }
    }

    fn draw(&self, label: &str, new: impl FnOnce() -> ProgressBar) -> Bar {
        let drawn = self.bars.as_ref().map(|bars| {
            let bar = bars.add(new().with_prefix(Cow::Owned(visible(label))));
            bar.tick();
            (bars.clone(), bar)
        });
        Bar { drawn }
    }
}

impl Bar {
    /// Moves on by `steps`.
    pub fn inc(&self, steps: u64) {
        if let Some((_, bar)) = &self.drawn {
            bar.inc(steps);
        }
    }

    /// Says what is being done now.
    pub fn set_message(&self, message: &str) {
        if let Some((_, bar)) = &self.drawn {
            bar.set_message(visible(message));
        }
    }

    /// A line above the bars; nothing when no bar could be drawn.
    pub fn println(&self, line: &str) {
        if let Some((bars, _)) = &self.drawn {
            // A terminal that has gone away does not stop the work.
            let _ = bars.println(visible(line));
        }
    }

    /// Removes the bar from the screen.
    pub fn finish(self) {
        drop(self);
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        if let Some((bars, bar)) = &self.drawn {
            bar.finish_and_clear();
            bars.remove(bar);
        }
    }
}

fn styled(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io;
    use std::sync::{Arc, Mutex};

    /// A terminal: its lines, and the line of the cursor. A full line goes on in the next one.
    #[derive(Debug, Clone, Default)]
    struct Screen(Arc<Mutex<(Vec<String>, usize)>>);

    impl Screen {
        fn text(&self) -> String {
            let (lines, _) = &*self.0.lock().unwrap();
            lines.iter().map(|line| line.trim_end()).collect::<Vec<_>>().join("\n").trim_end().to_owned()
        }

        fn write(&self, text: &str) {
            let (lines, at) = &mut *self.0.lock().unwrap();
            for c in text.chars() {
                lines.resize(lines.len().max(*at + 2), String::new());
                if c == '\n' || lines[*at].len() == 70 {
                    *at += 1;
                }
                if c != '\n' {
                    lines[*at].push(c);
                }
            }
        }
    }

    impl indicatif::TermLike for Screen {
        fn width(&self) -> u16 {
            70
        }
        fn height(&self) -> u16 {
            24
        }
        fn move_cursor_up(&self, n: usize) -> io::Result<()> {
            let (_, at) = &mut *self.0.lock().unwrap();
            *at = at.saturating_sub(n);
            Ok(())
        }
        fn move_cursor_down(&self, n: usize) -> io::Result<()> {
            self.0.lock().unwrap().1 += n;
            Ok(())
        }
        fn move_cursor_right(&self, _: usize) -> io::Result<()> {
            Ok(())
        }
        fn move_cursor_left(&self, _: usize) -> io::Result<()> {
            Ok(())
        }
        fn write_line(&self, s: &str) -> io::Result<()> {
            self.write(s);
            self.write("\n");
            Ok(())
        }
        fn write_str(&self, s: &str) -> io::Result<()> {
            self.write(s);
            Ok(())
        }
        fn clear_line(&self) -> io::Result<()> {
            let (lines, at) = &mut *self.0.lock().unwrap();
            if let Some(line) = lines.get_mut(*at) {
                line.clear();
            }
            Ok(())
        }
        fn flush(&self) -> io::Result<()> {
            Ok(())
        }
    }

    fn on(screen: &Screen) -> Progress {
        let target = ProgressDrawTarget::term_like_with_hz(Box::new(screen.clone()), 255);
        Progress { bars: Some(MultiProgress::with_draw_target(target)), color: false }
    }

    #[test]
    fn talk_goes_above_the_bar_and_the_bar_leaves_no_trace() {
        let screen = Screen::default();
        let progress = on(&screen);
        let bar = progress.bar(4, "migrate");
        bar.inc(1);
        bar.set_message("V2__orders\u{1b}[2J");
        bar.println("blocked by pid 42\u{1b}[2J");
        insta::assert_snapshot!(screen.text(), @r"
        blocked by pid 42\x1b[2J
        migrate ######-------------- 1/4  V2__orders\x1b[2J
        ");
        bar.finish();
        insta::assert_snapshot!(screen.text(), @r"blocked by pid 42\x1b[2J");
    }

    #[test]
    fn nothing_is_drawn_when_disabled() {
        let progress = Progress::new(false, true);
        let bar = progress.spinner("waiting");
        bar.inc(1);
        bar.println("x");
        assert!(bar.drawn.is_none() && progress.bars.is_none());
        assert_eq!(progress.suspend(|| 7), 7);
    }
}
