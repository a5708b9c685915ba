use super::*;

#[test]
fn the_diagram_shows_the_table() {
    let diagram = include_str!("../README.md");
    let drawn: Vec<&str> =
        diagram.lines().map(str::trim).filter(|line| line.contains("-->") && !line.contains("[*]")).collect();
    let table: Vec<String> =
        TABLE.iter().map(|(from, step, to)| format!("{from:?} --> {to:?}: {step:?}")).collect();
    assert_eq!(drawn, table);
}

#[test]
fn the_diagram_ends_where_the_table_does() {
    let diagram = include_str!("../README.md");
    for phase in Phase::ALL {
        let is_end = TABLE.iter().all(|row| row.0 != phase);
        assert_eq!(diagram.contains(&format!("{phase:?} --> [*]")), is_end, "{phase}");
    }
}

#[test]
fn a_step_leads_from_a_phase_to_one_other() {
    for (place, row) in TABLE.iter().enumerate() {
        let same = |other: &&(Phase, Step, Phase)| (other.0, other.1) == (row.0, row.1);
        assert_eq!(TABLE.iter().filter(same).count(), 1, "row {place}");
        assert_ne!(row.0, row.2);
        assert_eq!(row.0.after(row.1), Some(row.2));
    }
}

#[test]
fn codes_are_kept() {
    for (code, phase) in (0..).zip(Phase::ALL) {
        assert_eq!((phase.code(), Phase::from_code(code)), (code, Some(phase)));
    }
    assert_eq!(Phase::from_code(10), None);
}
