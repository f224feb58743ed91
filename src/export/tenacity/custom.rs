//! Schedules that are no strategy of tenacity, as functions in Python: the same steps in the same order as [`crate::schedule`].

use crate::export::{retries, seconds};
use crate::policy::{ObeyWith, PolicyConfig, RetryAfterRule};
use crate::schedule::{
    Backoff, Begins, DecorrelatedWith, Draws, Exponential, Jitter, Lower, Rounding, ScheduleConfig,
    truncation, whole_percents,
};
use crate::time::Interval;

/// The most delays in a table.
const MAX_TABLE: u32 = 200;

const ASKED: &str = "\
def asked(state):
    error = state.outcome.exception()
    if not isinstance(error, httpx.HTTPStatusError):
        return None
    header = error.response.headers.get(\"Retry-After\")
    if header is None:
        return None
    if header.isdigit():
        return float(header)
    try:
        return max(0.0, email.utils.parsedate_to_datetime(header).timestamp() - time.time())
    except ValueError:
        return None


";

/// The function `wait` and what it calls. `native` is the strategy that gives the backoff, if there is one.
pub(super) fn functions(config: &PolicyConfig, native: Option<&str>, clips: bool) -> Result<String, String> {
    let rule = &config.retry_after;
    let mut text = String::new();
    if *rule != RetryAfterRule::Ignore {
        text += ASKED;
    }
    if let RetryAfterRule::ObeyWith(ObeyWith { give_up_over: Some(limit), .. }) = rule {
        text +=
            &format!("def asks_too_much(state):\n    return (asked(state) or 0) > {}\n\n\n", seconds(*limit));
    }
    let before = *rule == RetryAfterRule::AtLeastBeforeJitter;
    let restarts = matches!(rule, RetryAfterRule::ObeyWith(with) if with.restarts_backoff);
    let native = native.filter(|_| !before && !restarts && config.throttled.is_none());
    let count = retries(config);
    if native.is_none() {
        text += &schedule("delay", &config.schedule(), count)?;
        if let Some(throttled) = &config.throttled {
            text += &schedule("delay_throttled", throttled, count)?;
        }
    }
    text += "def wait(state):\n";
    let least = if before { "asked(state) or 0" } else { "0" };
    if let Some(native) = native {
        text += &format!("    seconds = {native}(state)\n");
    } else {
        text += "    memory = vars(state).setdefault(\"memory\", {\"seed\": random.random()})\n";
        let restarted = if restarts { " - memory.get(\"restarted\", 0)" } else { "" };
        text += &format!("    n = state.attempt_number{restarted}\n");
        if config.throttled.is_some() {
            text += "    error = state.outcome.exception()\n";
            text += "    throttled = isinstance(error, httpx.HTTPStatusError) and error.response.status_code == 429\n";
            text += &format!(
                "    seconds = (delay_throttled if throttled else delay)(n, random, memory, {least})\n"
            );
        } else {
            text += &format!("    seconds = delay(n, random, memory, {least})\n");
        }
    }
    text += &obeyed(rule);
    if clips && let Some(deadline) = config.deadline {
        text += &format!(
            "    seconds = min(seconds, max({} - state.seconds_since_start, 0))\n",
            seconds(deadline.within)
        );
    }
    Ok(text + "    return seconds\n\n\n")
}

fn obeyed(rule: &RetryAfterRule) -> String {
    let header = "    header = asked(state)\n";
    match rule {
        RetryAfterRule::Ignore | RetryAfterRule::AtLeastBeforeJitter => String::new(),
        RetryAfterRule::Obey => format!("{header}    if header is not None:\n        seconds = header\n"),
        RetryAfterRule::AtLeast => {
            format!("{header}    if header is not None:\n        seconds = max(seconds, header)\n")
        }
        RetryAfterRule::Within(more) => format!(
            "{header}    if header is not None:\n        seconds = max(seconds, min(header, seconds + {}))\n",
            seconds(*more)
        ),
        RetryAfterRule::ObeyWith(with) => format!("{header}{}", obeyed_with(with)),
    }
}

fn obeyed_with(with: &ObeyWith) -> String {
    let ObeyWith {
        cap,
        scale,
        add,
        truncated_exponential,
        give_up_over: _,
        ignore_over,
        ignore_zero,
        at_least_backoff,
        only_on,
        restarts_backoff,
    } = with;
    let mut tests = vec!["header is not None".to_owned()];
    if let Some(statuses) = only_on {
        let code = "state.outcome.exception().response.status_code";
        let tests_of = |listed: String| match listed.strip_suffix("xx") {
            Some(class) => format!("{code} // 100 == {class}"),
            None => format!("{code} == {listed}"),
        };
        let any: Vec<String> = statuses.listed().into_iter().map(tests_of).collect();
        tests.push(if any.is_empty() { "False".into() } else { format!("({})", any.join(" or ")) });
    }
    tests.extend(ignore_over.map(|limit| format!("header <= {}", seconds(limit))));
    tests.extend(ignore_zero.then(|| "header > 0".into()));
    let mut text = format!("    if {}:\n", tests.join(" and "));
    if let Some(range) = scale {
        text += &format!("        header *= random.uniform({}, {})\n", range.low, range.high);
    }
    if let Some(span) = add {
        text += &format!("        header += random.uniform({}, {})\n", seconds(span.low), seconds(span.high));
    }
    if let Some(amount) = truncated_exponential {
        let (mean, end) = (1.0 + amount.get() / 2.0, 1.0 + amount.get());
        let (low, high) = (libm::exp(-1.0 / mean), libm::exp(-end / mean));
        text += &format!("        header *= -{mean} * math.log(random.uniform({low}, {high}))\n");
    }
    if let Some(cap) = cap {
        text += &format!("        header = min(header, {})\n", seconds(*cap));
    }
    if *at_least_backoff && *restarts_backoff {
        text += "        if header > seconds:\n            memory[\"restarted\"] = state.attempt_number\n";
    } else if *restarts_backoff {
        text += "        memory[\"restarted\"] = state.attempt_number\n";
    }
    text + if *at_least_backoff {
        "        seconds = max(seconds, header)\n"
    } else {
        "        seconds = header\n"
    }
}

/// The function called `name`, and those of its parts before it.
fn schedule(name: &str, schedule: &ScheduleConfig, retries: Option<u64>) -> Result<String, String> {
    let mut text = String::new();
    let parts = schedule.backoff.parts();
    for (index, part) in parts.iter().enumerate() {
        text += &self::schedule(&format!("{name}_{}", index + 1), part, retries)?;
    }
    let x = shape(name, &schedule.backoff, retries)?;
    let cap = |x: String, cap: Option<Interval>| match cap {
        Some(cap) => format!("min({x}, {})", seconds(cap)),
        None => x,
    };
    let x = cap(x, schedule.cap_before_jitter);
    let head = |name: &str| format!("def {name}(n, luck, memory, least=0):\n");
    let drawn = match schedule.draws {
        Draws::Each => name.to_owned(),
        Draws::Once | Draws::Sorted => format!("{name}_drawn"),
    };
    text += &head(&drawn);
    text += &format!("    x = max({x}, least)\n");
    text += &jitter(schedule)?;
    if let Some(cap) = schedule.cap_after_jitter {
        text += &format!("    x = min(x, {})\n", seconds(cap));
    }
    if let Some(floor) = schedule.floor {
        text += &format!("    x = max(x, {})\n", seconds(floor));
    }
    text += &schedule.round.map(round).unwrap_or_default();
    if schedule.jitter.is_walk() && schedule.jitter != Jitter::DecorrelatedV2 {
        text += "    memory[\"previous\"] = x\n";
    }
    text += "    return x\n\n\n";
    match schedule.draws {
        Draws::Each => {}
        Draws::Once => {
            text += &format!("{}    luck = random.Random(memory[\"seed\"])\n", head(name));
            text += &format!("    return {drawn}(n, luck, memory, least)\n\n\n");
        }
        Draws::Sorted => {
            let count =
                retries.ok_or("delays that are sorted before the first one need a number of retries")?;
            text += &format!("{}    luck = random.Random(memory[\"seed\"])\n", head(name));
            text +=
                &format!("    delays = sorted({drawn}(i, luck, memory) for i in range(1, {}))\n", count + 1);
            text += "    return max(delays[n - 1], least)\n\n\n";
        }
    }
    Ok(text)
}

/// The delay before jitter as an expression of n.
fn shape(name: &str, backoff: &Backoff, retries: Option<u64>) -> Result<String, String> {
    let parts = || (1..=backoff.parts().len()).map(|index| format!("{name}_{index}"));
    let called = |part: String| format!("{part}(n, luck, memory)");
    Ok(match backoff {
        Backoff::Fixed(delay) => seconds(*delay),
        Backoff::Linear { first, step } => format!("{} + (n - 1) * {}", seconds(*first), seconds(*step)),
        Backoff::Exponential(exponential) => grows(exponential, retries),
        Backoff::Polynomial { unit, power, offset, plus } => {
            format!(
                "{} * max(n + {}, 0) ** {} + {}",
                seconds(*unit),
                offset.get(),
                power.get(),
                seconds(*plus)
            )
        }
        Backoff::DoubleThenLinear { base, doublings } => {
            let most = doublings.get();
            format!("{} * 2 ** min(n - 1, {most}) * (1 + max(n - 1 - {most}, 0))", seconds(*base))
        }
        Backoff::Chain(all) => {
            let all_names: Vec<String> = parts().collect();
            format!("({},)[min(n, {}) - 1](n, luck, memory)", all_names.join(", "), all.len())
        }
        Backoff::Sum(_) => parts().map(called).collect::<Vec<_>>().join(" + "),
        Backoff::Max(_) => format!("max({}, 0)", parts().map(called).collect::<Vec<_>>().join(", ")),
        Backoff::List(_) | Backoff::Fibonacci { .. } | Backoff::Iterated(_) => table(backoff, retries)?,
    })
}

/// Delays one by one, of a backoff that stays from some retry on.
fn table(backoff: &Backoff, retries: Option<u64>) -> Result<String, String> {
    let count = retries.unwrap_or(u64::MAX).min(u64::from(MAX_TABLE)) as u32;
    let mut delays: Vec<Interval> = (1..=count).map_while(|n| backoff.delay(n)).collect();
    let last = delays.last().copied().unwrap_or(Interval::ZERO);
    let goes_on = retries.is_none_or(|retries| retries > u64::from(MAX_TABLE));
    if goes_on && delays.len() > 1 && delays[delays.len() - 2] != last {
        return Err(format!("its backoff is no formula of Python, and {MAX_TABLE} delays do not list it"));
    }
    while delays.len() > 1 && delays[delays.len() - 2] == last {
        delays.pop();
    }
    let listed: Vec<String> = delays.iter().map(|delay| seconds(*delay)).collect();
    Ok(format!("[{}][min(n, {}) - 1]", listed.join(", "), listed.len()))
}

fn grows(exponential: &Exponential, retries: Option<u64>) -> String {
    let Exponential { base, factor, exponent, zero_first, minus_one } = exponential;
    let offset = exponent.get() - 1;
    let n = match offset {
        0 => "n".to_owned(),
        1.. => format!("(n + {offset})"),
        _ => format!("(n - {})", -offset),
    };
    // Further than any delay can be, and within what a float can hold.
    let most = libm::log(1e20) / libm::log(factor.get().max(1.000_001)) - f64::from(exponent.get());
    let most = most.clamp(1.0, 1e6) as u64;
    let long = retries.is_none_or(|retries| retries > most.min(60));
    let n = if long { n.replacen('n', &format!("min(n, {most})"), 1) } else { n };
    let power = format!("{:?} ** {n}", factor.get());
    let grown = if *minus_one {
        format!("{} * ({power} - 1)", seconds(*base))
    } else {
        format!("{} * {power}", seconds(*base))
    };
    let grown = if long { format!("min({grown}, {})", seconds(Interval::MAX)) } else { grown };
    if *zero_first { format!("(0 if n == 1 else {grown})") } else { grown }
}

/// The statement that randomises x.
fn jitter(schedule: &ScheduleConfig) -> Result<String, String> {
    // A draw that will be rounded down never gives its upper end, one that includes both ends gives it a whole unit.
    let more = match schedule.round {
        Some(Rounding::Inclusive(unit)) => format!(" + {}", seconds(unit)),
        Some(Rounding::Down(_) | Rounding::Nearest(_) | Rounding::Up(_)) | None => String::new(),
    };
    let uniform = |low: String, high: String| format!("    x = luck.uniform({low}, {high}{more})\n");
    let scaled = |low: f64, high: f64| uniform(format!("x * {low}"), format!("x * {high}"));
    let first = || first(schedule);
    Ok(match &schedule.jitter {
        Jitter::None => String::new(),
        Jitter::Full => scaled(0.0, 1.0),
        Jitter::Equal => scaled(0.5, 1.0),
        Jitter::Proportional(share) => scaled(1.0 - share.get(), 1.0 + share.get()),
        Jitter::Scale(range) => scaled(range.low, range.high),
        Jitter::ScaleOrRedraw(with) => {
            let limit = seconds(with.above);
            let draw = scaled(with.scale.low, with.scale.high);
            let redraw =
                uniform(format!("{limit} * {}", with.redraw.low), format!("{limit} * {}", with.redraw.high));
            format!("{draw}    if x > {limit}:\n    {redraw}")
        }
        Jitter::Add(span) => {
            uniform(format!("x + {}", seconds(span.low)), format!("x + {}", seconds(span.high)))
        }
        Jitter::AddPerRetry(width) => uniform("x".into(), format!("x + n * {}", seconds(*width))),
        Jitter::PlusMinus(width) => {
            let draw = uniform("x".into(), format!("x + {}", seconds(width.times(2))));
            format!("{draw}    x = max(x - {}, 0)\n", seconds(*width))
        }
        Jitter::Between(least) => {
            let least = seconds(*least);
            uniform(format!("min(x, {least})"), format!("max(x, {least})"))
        }
        Jitter::TruncatedExponential(amount) if amount.get() == 0.0 => String::new(),
        Jitter::TruncatedExponential(amount) => {
            let (low, high) = truncation(amount.get());
            let (from, to) = (1.0 - libm::exp(-low), 1.0 - libm::exp(-high));
            format!("    x *= -math.log(max(1 - luck.uniform({from}, {to}), 1e-10))\n")
        }
        Jitter::WholeMultiples(range) => {
            format!("    x *= luck.randint({}, {})\n", range.low.get(), range.high.get())
        }
        Jitter::TruncatedSeconds(share) => format!(
            "    r = {} * luck.random()\n    x += int(int(x) * r) + int(round(x % 1 * 1e9) * r) / 1e9\n",
            share.get()
        ),
        Jitter::WholePercent(share) => {
            let whole = whole_percents(*share);
            let draw = format!("    r = luck.randrange({})\n", (2 * whole).max(1));
            format!("{draw}    x *= (100 - r if r < {whole} else 100 + r // 2) / 100\n")
        }
        Jitter::Hash(key) if key.contains("{request}") => {
            return Err(
                "its jitter is a hash of the number of the request, which tenacity does not know".into()
            );
        }
        Jitter::Hash(key) if key.chars().any(|c| c != ' ' && !c.is_ascii_graphic()) => {
            return Err("the key of its hash has letters that are not written the same way in Python".into());
        }
        Jitter::Hash(key) => format!(
            "    m = max(math.ceil(x), 1)\n    x = m + int(hashlib.sha1(f{:?}.encode()).hexdigest(), 16) % m\n",
            format!("{}#{{n}}", key.replace('{', "{{").replace('}', "}}"))
        ),
        Jitter::Decorrelated => {
            let (first, setup) = first()?;
            format!("{setup}{}", uniform(first, "previous * 3".into()))
        }
        Jitter::DecorrelatedWith(with) => {
            let (first, setup) = first()?;
            let draw = decorrelated(with, &first, &more);
            match with.begins {
                Begins::Drawn => format!("{setup}{draw}"),
                Begins::Exact => format!("{setup}    x = {first}\n    if n > 1:\n    {draw}"),
            }
        }
        Jitter::DecorrelatedV2 => {
            let (first, _) = first()?;
            format!(
                "    t = n - 1 + luck.random()\n    climbed = 2 ** t * math.tanh(math.sqrt(4 * t)) * {first} / 1.4\n    x = \
                 max(climbed - memory.get(\"climbed\", 0), 0)\n    memory[\"climbed\"] = climbed\n"
            )
        }
        Jitter::Compounding(with) => {
            let (first, setup) = first()?;
            let cap = seconds(with.cap);
            format!(
                "{setup}    high = previous * 2 ** (n - 1)\n    if n == 1:\n        x = min({first}, {cap})\n    elif high >= \
                 {cap}:\n        x = {cap}\n    else:\n    {}",
                uniform("0".into(), "high".into())
            )
        }
    })
}

fn decorrelated(with: &DecorrelatedWith, first: &str, more: &str) -> String {
    let low = match with.lower {
        Lower::First => first,
        Lower::Previous => "previous",
    };
    let high = format!("max(previous * {}, {first})", with.factor.get());
    let high = with.cap.map_or_else(|| high.clone(), |cap| format!("min({high}, {})", seconds(cap)));
    // The wrong way round the lower end wins.
    format!("    x = luck.uniform({low}, max({high}{more}, {low}))\n")
}

/// The first delay of a walk, and the statement that finds the previous one.
fn first(schedule: &ScheduleConfig) -> Result<(String, String), String> {
    let first = schedule.backoff.delay(1).filter(|_| schedule.backoff.parts().is_empty());
    let first = first.ok_or("its jitter walks from a first delay that is no formula")?;
    let first = seconds(first.min(schedule.cap_before_jitter.unwrap_or(Interval::MAX)));
    let setup = format!("    previous = {first} if n == 1 else memory[\"previous\"]\n");
    Ok((first, setup))
}

fn round(rounding: Rounding) -> String {
    // In nanoseconds, so that no multiple is missed by a rounding error of the division.
    let units = |unit: Interval, add: u64| {
        let unit = unit.as_nanos();
        let add = if add == 0 { String::new() } else { format!(" + {add}") };
        format!("    x = (round(x * 1e9){add}) // {unit} * {unit} / 1e9\n")
    };
    match rounding {
        Rounding::Down(unit) | Rounding::Inclusive(unit) => units(unit, 0),
        Rounding::Nearest(unit) => units(unit, unit.as_nanos() / 2),
        Rounding::Up(unit) => units(unit, unit.as_nanos() - 1),
    }
}
