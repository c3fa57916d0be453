use crate::bay::{Bay, success};
use taskbay_engine::{EngineError, LogLevel, LogPosition, NewLogLine, limits};

fn line(message: impl Into<String>) -> NewLogLine {
    NewLogLine {
        level: LogLevel::Output,
        message: message.into(),
    }
}

pub(crate) fn lines_keep_their_order(bay: &Bay) {
    let id = bay.fitting("w", 0);
    let first = bay.claim_and_lose("w");
    assert_eq!(bay.engine.log(id, LogPosition::default(), 9).unwrap(), []);
    assert!(
        bay.engine
            .append_log(&first.lease, &[line("late")])
            .is_err()
    );
    bay.expire();
    assert!(bay.engine.sign(id, "fits").unwrap().is_some());
    let lease = bay.claim("w").unwrap().lease;
    for batch in 0..3 {
        let lines: Vec<_> = (0..4).map(|n| line(format!("{}", batch * 4 + n))).collect();
        bay.engine.append_log(&lease, &lines).unwrap();
    }
    bay.engine.append_log(&lease, &[]).unwrap();
    let mut read = Vec::new();
    let mut position = LogPosition::default();
    loop {
        let lines = bay.engine.log(id, position, 5).unwrap();
        let Some(last) = lines.last() else { break };
        position = last.position;
        read.extend(lines);
    }
    let messages: Vec<_> = read.iter().map(|line| line.message.as_str()).collect();
    assert_eq!(
        messages,
        ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11"]
    );
    assert!(
        read.iter()
            .all(|line| line.level == LogLevel::Output && line.position.attempt == 2)
    );
    assert_eq!(
        position,
        LogPosition {
            attempt: 2,
            line: 12
        }
    );
    // Whoever follows gets what comes later.
    bay.engine.append_log(&lease, &[line("more")]).unwrap();
    assert_eq!(bay.engine.log(id, position, 5).unwrap()[0].message, "more");
    assert!(matches!(
        bay.engine.log(id + 1, position, 5),
        Err(EngineError::NotFound { .. })
    ));
}

pub(crate) fn a_log_is_limited(bay: &Bay) {
    let id = bay.fitting("w", 0);
    let lease = bay.claim("w").unwrap().lease;
    let long = line("x".repeat(limits::LONGEST_LOG_MESSAGE));
    let fits = limits::LONGEST_LOG / limits::LONGEST_LOG_MESSAGE;
    for _ in 0..fits / 16 {
        bay.engine
            .append_log(&lease, &vec![long.clone(); 16])
            .unwrap();
    }
    for _ in 0..2 {
        bay.engine
            .append_log(&lease, &[line("too"), line("much")])
            .unwrap();
    }
    let count = i64::try_from(fits).unwrap();
    let rest = bay
        .engine
        .log(
            id,
            LogPosition {
                attempt: 1,
                line: count,
            },
            9,
        )
        .unwrap();
    assert_eq!(rest.len(), 1);
    assert_eq!(rest[0].level, LogLevel::Warn);
    assert_eq!(
        rest[0].message,
        "the rest of this log is dropped: an attempt may log 16 MiB"
    );
    bay.engine.complete(&lease, &success()).unwrap();
}

pub(crate) fn a_late_line_is_refused(bay: &Bay) {
    bay.fitting("w", 0);
    let lease = bay.claim("w").unwrap().lease;
    let longer = line("x".repeat(limits::LONGEST_LOG_MESSAGE + 1));
    let error = bay
        .engine
        .append_log(&lease, &[line("ok"), longer])
        .unwrap_err();
    assert!(matches!(error, EngineError::TooLarge { .. }), "{error:?}");
    let many = vec![line(""); limits::MOST_LOG_LINES + 1];
    let error = bay.engine.append_log(&lease, &many).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the list of log lines has 10001 lines, and at most 10000 are taken"
    );
    assert_eq!(
        bay.engine
            .log(lease.request, LogPosition::default(), 9)
            .unwrap(),
        []
    );
    bay.engine.complete(&lease, &success()).unwrap();
    assert!(matches!(
        bay.engine.append_log(&lease, &[line("late")]),
        Err(EngineError::Stale { .. })
    ));
}

pub(crate) fn any_text_is_logged(bay: &Bay) {
    let id = bay.fitting("w", 0);
    let lease = bay.claim("w").unwrap().lease;
    let texts = [
        "",
        "a\0b",
        "\u{1b}[31mred\r\n",
        "\\u0000",
        "ünï 🦀 \u{ffff}",
    ];
    bay.engine.append_log(&lease, &texts.map(line)).unwrap();
    let read = bay.engine.log(id, LogPosition::default(), 9).unwrap();
    for (line, text) in read.iter().zip(texts) {
        assert_eq!(line.message, text.replace('\0', "\u{2400}"));
    }
    assert_eq!(read.len(), texts.len());
}
