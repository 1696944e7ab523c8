//! Whose end stops a server that `sandbox start` left. Knows processes as the system lists them.

use std::process::{Command, Stdio};

use nix::errno::Errno;
use nix::sys::signal::kill;
use nix::unistd::Pid;

use crate::error::{Failure, Kind, Result};

/// The process asked for, which must live: a dead one would end the server at once. By default our
/// parent, or rather the shell behind it: in `URL=$(dbctl sandbox start 2>log)` the parent is a
/// copy that the shell made of itself, gone a moment later.
pub(super) fn living(asked: Option<u32>) -> Result<u32> {
    let Some(owner) = asked else { return Ok(shell_behind(std::os::unix::process::parent_id(), &look_at)) };
    let no_process = || {
        Failure::new(Kind::Usage, format!("there is no process {owner} to own the sandbox"))
            .hint("--owner $$ names the shell; --keep needs no owner")
    };
    let pid = i32::try_from(owner).ok().filter(|pid| *pid > 0).ok_or_else(no_process)?;
    match kill(Pid::from_raw(pid), None) {
        Err(Errno::ESRCH) => Err(no_process()),
        _ => Ok(owner),
    }
}

/// What tells a process from another program: a copy that did not start a program of its own has
/// its parent's arguments, and on Linux also their place in memory, which every start makes anew.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Shape {
    parent: u32,
    arguments: Vec<u8>,
    place: Option<u64>,
}

/// Climbs from copies to the process they were made of.
fn shell_behind(pid: u32, look_at: &dyn Fn(u32) -> Option<Shape>) -> u32 {
    let mut found = pid;
    while let Some(shape) = look_at(found)
        && let Some(parent) = look_at(shape.parent)
        && shape.parent > 1
        && (&shape.arguments, shape.place) == (&parent.arguments, parent.place)
    {
        found = shape.parent;
    }
    found
}

fn look_at(pid: u32) -> Option<Shape> {
    match std::fs::read_to_string(format!("/proc/{pid}/stat")) {
        Ok(stat) => {
            // The name in parentheses may hold anything: fields are counted after the last one.
            let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
            let parent = fields.get(1)?.parse().ok()?;
            let place = fields.get(45).and_then(|field| field.parse().ok()).filter(|place| *place > 0);
            let arguments = std::fs::read(format!("/proc/{pid}/cmdline")).ok()?;
            Some(Shape { parent, arguments, place })
        }
        Err(_) => look_by_ps(pid),
    }
}

fn look_by_ps(pid: u32) -> Option<Shape> {
    let mut ps = Command::new("ps");
    ps.args(["-ww", "-o", "ppid=,command=", "-p", &pid.to_string()]).stdin(Stdio::null()).stderr(Stdio::null());
    let output = ps.output().ok()?;
    let line = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    let (parent, command) = line.split_once(char::is_whitespace)?;
    Some(Shape { parent: parent.parse().ok()?, arguments: command.trim().as_bytes().to_vec(), place: None })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn family(pid: u32) -> Option<Shape> {
        let shape =
            |parent, arguments: &str, place| Some(Shape { parent, arguments: arguments.into(), place: Some(place) });
        match pid {
            10 => shape(1, "sshd", 1),
            20 => shape(10, "bash", 2),
            21 => shape(20, "bash", 2),
            22 => shape(21, "bash", 2),
            30 => shape(20, "bash", 3),
            _ => None,
        }
    }

    #[test]
    fn copies_of_a_shell_lead_to_the_shell() {
        assert_eq!(shell_behind(22, &family), 20);
        assert_eq!(shell_behind(20, &family), 20);
    }

    #[test]
    fn a_shell_started_in_a_shell_is_its_own() {
        assert_eq!(shell_behind(30, &family), 30);
    }

    #[test]
    fn a_process_that_cannot_be_seen_is_taken_as_it_is() {
        assert_eq!(shell_behind(99, &family), 99);
    }

    #[test]
    fn our_own_parent_can_be_seen() {
        let me = look_at(std::process::id()).unwrap();
        assert_eq!(me.parent, std::os::unix::process::parent_id());
    }
}
