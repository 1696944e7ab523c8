//! `dbctl locks`, `dbctl activity`: once, or drawn again and again.

use std::io::Write;
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};

use super::Run;
use crate::cli::inspect::{Activity, Locks};
use crate::error::{Failure, Kind, Result};
use crate::inspect::locks::{self, Limits, act, history};
use crate::inspect::{Eye, activity};
use crate::migrate::Answer;
use crate::outcome::Outcome;
use crate::output::{self, Document, Event, Format, Screen, Style, visible};
use crate::pg::Interrupt;
use crate::steps::gate::Confirm;
use crate::talk::Terminal;

impl Run {
    pub(super) fn locks(&self, wish: Locks) -> Result<Outcome> {
        match wish {
            Locks::Replay(file, redact, limits) => self.answer(history::replay(&file, redact, limits.checked()?)?),
            Locks::Look { redact, watch: Some(every), limits, .. } => {
                let limits = limits.checked()?;
                self.watch("locks", every, async |eye, _| look(eye, redact, limits).await)
            }
            Locks::Look { redact, watch: None, exit_code, limits } => {
                let limits = limits.checked()?;
                self.on_targets(async |run, target, interrupt| {
                    let eye = Eye::open(&run.connection(target)?, "locks", interrupt).await?;
                    let (outcome, document) = look(&eye, redact, limits).await?;
                    Ok((if exit_code { outcome } else { Outcome::Done }, document))
                })
            }
            Locks::History(file, pace) => {
                self.one_target_only("--history")?;
                self.on_targets(async |run, target, interrupt| {
                    let eye = Eye::open(&run.connection(target)?, "locks", interrupt).await?;
                    history::keep(&eye, &file, pace, interrupt).await
                })
            }
            Locks::Act(wish) => {
                self.one_target_only("this")?;
                self.on_targets(async |run, target, interrupt| {
                    let eye = Eye::open(&run.connection(target)?, "locks", interrupt).await?;
                    let go = |plan: &[String]| run.consent.yes || Terminal::is_there() && Terminal.confirm(plan, "yes");
                    let mut say = |line: &str| {
                        // Nobody listening is no reason to stop.
                        let _ = writeln!(std::io::stderr(), "{}", visible(line));
                    };
                    act::act(&eye, &wish, go, run.consent.dry_run, interrupt, &mut say).await
                })
            }
        }
    }

    pub(super) fn activity(&self, wish: Activity) -> Result<Outcome> {
        let look = async |eye: &Eye, _: &Interrupt| -> Result<Answer> {
            let mut seen = activity::read(eye).await?;
            if wish.redact {
                seen.redact();
            }
            Ok((Outcome::Done, activity::view(&seen, wish.longer_than)))
        };
        match wish.watch {
            Some(every) => self.watch("activity", every, look),
            None => self.on_targets(async |run, target, interrupt| {
                let eye = Eye::open(&run.connection(target)?, "activity", interrupt).await?;
                look(&eye, interrupt).await
            }),
        }
    }

    /// Draws what is seen until q or Ctrl-C; then the terminal is as it was.
    pub(super) fn watch(
        &self,
        command: &str,
        every: Duration,
        look: impl AsyncFn(&Eye, &Interrupt) -> Result<Answer>,
    ) -> Result<Outcome> {
        self.one_target_only("--watch")?;
        if !Screen::is_there() || self.settings.format.value != Format::Table {
            let failure = Failure::new(Kind::Usage, "--watch draws on a terminal, and this is none");
            return Err(failure.hint(match command {
                "locks" => "to keep what is seen: dbctl locks --history FILE --every 1s".to_owned(),
                other => format!("to see it once: dbctl {other}"),
            }));
        }
        let targets = self.settings.targets()?;
        let Some(target) = targets.first() else { return Ok(Outcome::Done) };
        let connection = self.connection(target)?;
        self.block_on(async |interrupt| {
            // Whoever cannot be reached at all is told so on the terminal as it is.
            let eye = Eye::open(&connection, command, interrupt).await?;
            let mut screen = Screen::take()?;
            interrupt.before_exit(screen.leave());
            let open = async || Eye::open(&connection, command, interrupt).await;
            watch(eye, open, &mut screen, || self.style(), every, &look, interrupt).await
        })
    }

    fn style(&self) -> Style {
        Style::of_stdout(self.settings.color.value, |name| self.env.get(name))
    }
}

async fn watch(
    eye: Eye,
    open: impl AsyncFn() -> Result<Eye>,
    screen: &mut Screen,
    style: impl Fn() -> Style,
    every: Duration,
    look: &impl AsyncFn(&Eye, &Interrupt) -> Result<Answer>,
    interrupt: &Interrupt,
) -> Result<Outcome> {
    // Never more often than four times a second: a look stops the lock manager briefly.
    let every = every.max(Duration::from_millis(250));
    let mut paused = false;
    let (_, mut document) = look(&eye, interrupt).await?;
    let (mut due, mut at) = (Instant::now() + every, Utc::now());
    let (mut eye, mut lost) = (Some(eye), None);
    loop {
        // Of this size: the terminal may have another one since.
        let head = Head { every, at, paused, lost: lost.as_ref() };
        screen.draw(&frame(&document, &style(), &head)?)?;
        let rest = if paused { every } else { due.saturating_duration_since(Instant::now()) };
        tokio::select! {
            event = screen.event() => match event {
                Event::Key(b'q' | b'Q') => return Ok(Outcome::Done),
                Event::Key(b'p' | b'P') => paused = !paused,
                Event::Key(_) | Event::Resized => {}
            },
            slept = interrupt.sleep(rest) => slept?,
        }
        // Not at each key: one that is held down comes often.
        if paused || Instant::now() < due {
            continue;
        }
        let seen = async {
            let eye = match &mut eye {
                Some(eye) => eye,
                none => none.insert(open().await?),
            };
            look(eye, interrupt).await
        };
        match seen.await {
            Ok((_, seen)) => (document, at, lost) = (seen, Utc::now(), None),
            // A server that restarts is what one watches for: what was seen last stays, with its time.
            Err(failure) if failure.what() == Kind::Unreachable => (eye, lost) = (None, Some(failure)),
            Err(failure) => return Err(failure),
        }
        due = Instant::now() + every;
    }
}

/// What stands above what is seen.
struct Head<'a> {
    every: Duration,
    at: DateTime<Utc>,
    paused: bool,
    lost: Option<&'a Failure>,
}

fn frame(document: &Document, style: &Style, head: &Head<'_>) -> Result<String> {
    let mut text = format!(
        "every {:.1} s   q quit   p {}   {}\n{}\n",
        head.every.as_secs_f64(),
        if head.paused { "go on (it is paused)" } else { "pause" },
        head.at.format("%H:%M:%SZ"),
        head.lost.map(|failure| visible(&failure.messages().join(": ")) + "; trying again\n").unwrap_or_default(),
    )
    .into_bytes();
    output::render(document, Format::Table, style, &mut text)?;
    Ok(String::from_utf8_lossy(&text).into_owned())
}

async fn look(eye: &Eye, redact: bool, limits: Limits) -> Result<Answer> {
    let mut sample = locks::read(eye, &[]).await?;
    if redact {
        sample.redact();
    }
    Ok(locks::view(&sample, limits))
}
