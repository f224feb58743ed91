//! Shards: a sweep in parts that run by themselves, on any machines, each point in exactly one of them.

use crate::error::Error;

/// One of several parts of a sweep.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Shard {
    /// Which one, from 1.
    pub index: usize,
    /// Of how many.
    pub of: usize,
}

/// What a scheduler says in its variables.
const SLURM: &str = "SLURM_ARRAY_TASK_ID";
const KUBERNETES: &str = "JOB_COMPLETION_INDEX";

impl Shard {
    /// Reads `i/n` with i from 1 to n, or `auto` and `auto/n`, which take i from the variables that `variable` looks up: a Slurm
    /// array sets which task of how many it is, wherever its numbers begin; an indexed job of Kubernetes counts from 0 and does
    /// not say of how many.
    ///
    /// # Errors
    /// With what is wrong and how it is written.
    pub fn parse(text: &str, variable: &dyn Fn(&str) -> Option<String>) -> Result<Self, Error> {
        let refuse = |why: String| Error::Usage(format!("--shard {text}: {why}"));
        let count = |of: &str| {
            let read = of.trim().parse::<usize>().ok().filter(|&of| of > 0);
            read.ok_or_else(|| refuse(format!("\"{of}\" is no number of shards: write i/n, such as 1/4")))
        };
        match text.split_once('/') {
            None if text == "auto" => automatic(None, variable).map_err(refuse),
            Some(("auto", of)) => automatic(Some(count(of)?), variable).map_err(refuse),
            None => Err(refuse("write i/n, such as 1/4, or auto in a job array".into())),
            Some((index, of)) => {
                let of = count(of)?;
                match index.trim().parse::<usize>() {
                    Ok(0) => Err(refuse(format!(
                        "shards are counted from 1: the first is 1/{of}, the last {of}/{of}"
                    ))),
                    Ok(index) if index > of => {
                        Err(refuse(format!("there are {of} shards: the last is {of}/{of}")))
                    }
                    Ok(index) => Ok(Self { index, of }),
                    Err(_) => Err(refuse(format!("\"{index}\" is no number: write i/n, such as 1/{of}"))),
                }
            }
        }
    }

    /// The variable by which a scheduler says that this is one of many jobs, if one does.
    pub fn offered(variable: &dyn Fn(&str) -> Option<String>) -> Option<&'static str> {
        [SLURM, KUBERNETES].into_iter().find(|name| variable(name).is_some())
    }

    /// True if the point with this index belongs to it. Points are dealt like cards, so that neighbours, which cost alike, go to
    /// different shards, and none has two points more than another.
    pub const fn holds(self, point: usize) -> bool {
        point % self.of == self.index - 1
    }
}

impl std::fmt::Display for Shard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.index, self.of)
    }
}

fn automatic(given: Option<usize>, variable: &dyn Fn(&str) -> Option<String>) -> Result<Shard, String> {
    match (variable(SLURM), variable(KUBERNETES)) {
        (Some(_), Some(_)) => Err(format!("both {SLURM} and {KUBERNETES} are set: write i/n")),
        (Some(_), None) => of_slurm(given, variable),
        (None, Some(index)) => of_kubernetes(given, &index),
        (None, None) => Err(format!("neither {SLURM} nor {KUBERNETES} is set: write i/n, such as 1/4")),
    }
}

fn of_slurm(given: Option<usize>, variable: &dyn Fn(&str) -> Option<String>) -> Result<Shard, String> {
    let number = |name: &str, absent: Option<usize>| {
        let value = variable(name);
        let read = value.as_deref().map_or(absent, |value| value.parse().ok());
        read.ok_or_else(|| {
            format!("{name} is {}: write i/n", value.map_or("not set".into(), |value| format!("\"{value}\"")))
        })
    };
    let (id, least) = (number(SLURM, None)?, number("SLURM_ARRAY_TASK_MIN", None)?);
    let (of, step) = (number("SLURM_ARRAY_TASK_COUNT", None)?, number("SLURM_ARRAY_TASK_STEP", Some(1))?);
    if let Some(given) = given.filter(|&given| given != of) {
        return Err(format!("the array has {of} tasks: write auto, or give the array {given} tasks"));
    }
    let offset = id.checked_sub(least).filter(|offset| step > 0 && offset % step == 0 && offset / step < of);
    let offset = offset.ok_or_else(|| {
        format!("task {id} of an array from {least} with {of} tasks: number them without gaps, such as --array=1-{of}")
    })?;
    Ok(Shard { index: offset / step + 1, of })
}

fn of_kubernetes(given: Option<usize>, index: &str) -> Result<Shard, String> {
    let of = given.ok_or_else(|| {
        format!("{KUBERNETES} does not say of how many: write auto/n, where n is the job's completions")
    })?;
    match index.parse::<usize>() {
        Ok(index) if index < of => Ok(Shard { index: index + 1, of }),
        Ok(index) => {
            Err(format!("{KUBERNETES} is {index}, counted from 0: the job has more completions than {of}"))
        }
        Err(_) => Err(format!("{KUBERNETES} is \"{index}\": write i/n")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str, variables: &[(&str, &str)]) -> Result<Shard, String> {
        let variable = |name: &str| {
            variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        };
        Shard::parse(text, &variable).map_err(|error| error.to_string())
    }

    #[test]
    fn each_point_is_in_one_shard_and_shards_are_balanced() {
        for of in 1..20 {
            let shards: Vec<Shard> = (1..=of).map(|index| Shard { index, of }).collect();
            for point in 0..100 {
                assert_eq!(shards.iter().filter(|shard| shard.holds(point)).count(), 1);
            }
            let sizes: Vec<usize> =
                shards.iter().map(|shard| (0..100).filter(|&point| shard.holds(point)).count()).collect();
            assert!(sizes.iter().max().unwrap() - sizes.iter().min().unwrap() <= 1, "{sizes:?}");
        }
    }

    #[test]
    fn schedulers_say_which_shard_it_is() {
        let slurm = |id, min, count, step| {
            [
                ("SLURM_ARRAY_TASK_ID", id),
                ("SLURM_ARRAY_TASK_MIN", min),
                ("SLURM_ARRAY_TASK_COUNT", count),
                ("SLURM_ARRAY_TASK_STEP", step),
            ]
        };
        let shard = |index, of| Ok(Shard { index, of });
        assert_eq!(parse("2/3", &slurm("9", "0", "10", "1")), shard(2, 3));
        assert_eq!(parse("auto", &slurm("0", "0", "10", "1")), shard(1, 10));
        assert_eq!(parse("auto", &slurm("10", "1", "10", "1")), shard(10, 10));
        assert_eq!(parse("auto/10", &slurm("9", "5", "10", "1")), shard(5, 10));
        assert_eq!(parse("auto", &slurm("6", "0", "4", "2")), shard(4, 4));
        assert_eq!(parse("auto/5", &[("JOB_COMPLETION_INDEX", "0")]), shard(1, 5));
        assert_eq!(parse("auto/5", &[("JOB_COMPLETION_INDEX", "4")]), shard(5, 5));
    }

    #[test]
    fn wrong_shards_are_explained() {
        let kubernetes = [("JOB_COMPLETION_INDEX", "5")];
        let slurm =
            [("SLURM_ARRAY_TASK_ID", "7"), ("SLURM_ARRAY_TASK_MIN", "1"), ("SLURM_ARRAY_TASK_COUNT", "3")];
        let both = [slurm[0], kubernetes[0]];
        for (text, variables, why) in [
            ("0/3", &[][..], "the first is 1/3"),
            ("4/3", &[], "the last is 3/3"),
            ("1/0", &[], "no number of shards"),
            ("a/b", &[], "\"b\" is no number of shards"),
            ("a/3", &[], "\"a\" is no number"),
            ("-1/3", &[], "no number"),
            ("3", &[], "write i/n"),
            ("auto", &[], "neither SLURM_ARRAY_TASK_ID nor JOB_COMPLETION_INDEX is set"),
            ("auto", &kubernetes, "write auto/n"),
            ("auto/5", &kubernetes, "more completions than 5"),
            ("auto", &slurm, "number them without gaps"),
            ("auto/4", &slurm, "the array has 3 tasks"),
            ("auto", &slurm[..2], "SLURM_ARRAY_TASK_COUNT is not set"),
            ("auto", &both, "both"),
        ] {
            let message = parse(text, variables).expect_err(text);
            assert!(message.contains(why), "{text}: {message}");
        }
    }
}
