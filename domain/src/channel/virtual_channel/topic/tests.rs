use proptest::prelude::*;

use super::*;

const HOST: Address = Address::from_bytes([1; 20]);
const GUEST: Address = Address::from_bytes([2; 20]);
const STRANGER: Address = Address::from_bytes([3; 20]);
const EPOCH: Epoch = Epoch::new(7);

fn ms(millis: u64) -> Timestamp {
    Timestamp::from_millis(millis)
}

/// A room; subscribers are numbers.
fn topic() -> Topic<u32> {
    Topic::new(vec![HOST, GUEST], EPOCH)
}

/// A room in which `count` messages of `bytes` bytes were said.
fn topic_after(count: usize, bytes: usize) -> Topic<u32> {
    let mut topic = topic();
    for _ in 0..count {
        topic.publish(1, HOST, &"x".repeat(bytes), ms(1)).unwrap();
    }
    topic
}

fn position(seq: u64) -> Position {
    Position { epoch: EPOCH, seq }
}

fn seqs(resumed: &Resumed) -> Vec<u64> {
    resumed.messages.iter().map(|message| message.seq).collect()
}

#[test]
fn messages_are_numbered_from_one_and_stamped() {
    let mut topic = topic();
    assert_eq!(topic.position(), position(0));
    let first = topic.publish(1, HOST, "hello", ms(5)).unwrap().message;
    let second = topic.publish(2, GUEST, "hi", ms(6)).unwrap().message;
    let expected = Message { seq: 1, at: ms(5), sender: HOST, receiver: None, payload: "hello".into() };
    assert_eq!(first, expected);
    assert_eq!((second.seq, second.at, second.sender), (2, ms(6), GUEST));
    assert_eq!(topic.position(), position(2));
}

#[test]
fn the_clock_never_goes_back() {
    let mut topic = topic();
    let said = [5, 9, 3, 9, 10].map(|now| topic.publish(1, HOST, "", ms(now)).unwrap().message.at);
    assert_eq!(said, [5, 9, 9, 9, 10].map(ms));
}

#[test]
fn a_message_goes_to_every_subscriber_but_the_one_it_came_from() {
    let mut topic = topic();
    for (subscriber, member) in [(1, HOST), (2, GUEST), (3, HOST)] {
        assert_eq!(topic.subscribe(subscriber, member), Ok(position(0)));
    }
    assert_eq!(topic.publish(1, HOST, "", ms(1)).unwrap().to, [2, 3]);
    assert_eq!(topic.publish(9, HOST, "", ms(1)).unwrap().to, [1, 2, 3]);
    assert!(topic.unsubscribe(2));
    assert!(!topic.unsubscribe(2));
    assert_eq!(topic.publish(1, HOST, "", ms(1)).unwrap().to, [3]);
    assert_eq!(topic.subscribers().collect::<Vec<_>>(), [1, 3]);
}

#[test]
fn a_call_goes_to_the_sessions_of_the_other_side_alone() {
    let mut topic = topic();
    for (subscriber, member) in [(1, HOST), (2, GUEST), (3, HOST)] {
        topic.subscribe(subscriber, member).unwrap();
    }
    let asked = topic.call(GUEST, true, false, "{\"req\":[]}", ms(1)).unwrap();
    assert_eq!((asked.to, asked.message.receiver, asked.message.seq), (vec![1, 3], Some(HOST), 1));
    let answered = topic.call(HOST, false, true, "{\"res\":[]}", ms(1)).unwrap();
    assert_eq!((answered.to, answered.message.receiver, answered.message.seq), (vec![2], Some(GUEST), 2));
    topic.unsubscribe(2);
    assert!(topic.call(HOST, false, true, "", ms(1)).unwrap().to.is_empty());
    assert_eq!(seqs(&topic.resume_from(GUEST, position(0)).unwrap()), [1, 2, 3]);
}

#[test]
fn strangers_neither_hear_nor_say_anything() {
    let mut topic = topic();
    let before = topic.clone();
    let error = TopicError::NotAMember { participant: STRANGER };
    assert_eq!(topic.subscribe(1, STRANGER), Err(error.clone()));
    assert_eq!(topic.publish(1, STRANGER, &"x".repeat(MESSAGE_BYTES_MAX + 1), ms(1)), Err(error.clone()));
    assert_eq!(topic.resume_from(STRANGER, position(0)), Err(error));
    let error = TopicError::RoomRpc(RoomRpcError::NotAMember { sender: STRANGER });
    assert_eq!(topic.call(STRANGER, true, false, "", ms(1)), Err(error));
    assert_eq!(topic, before);
}

#[test]
fn what_is_refused_takes_no_number() {
    let mut topic = topic();
    let before = topic.clone();
    let long = "x".repeat(MESSAGE_BYTES_MAX + 1);
    let error = TopicError::MessageTooLarge { bytes: long.len() };
    assert_eq!(topic.publish(1, HOST, &long, ms(1)), Err(error.clone()));
    assert_eq!(topic.call(GUEST, true, false, &long, ms(1)), Err(error));
    let role = TopicError::RoomRpc(RoomRpcError::RequestFromHost);
    assert_eq!(topic.call(HOST, true, false, &long, ms(1)), Err(role));
    assert_eq!(topic, before);
    assert!(topic.publish(1, HOST, &long[1..], ms(1)).is_ok());
}

#[test]
fn subscribers_are_bounded_and_repeats_cost_nothing() {
    let mut topic = topic();
    for subscriber in 0..u32::try_from(SUBSCRIBERS_MAX).unwrap() {
        topic.subscribe(subscriber, HOST).unwrap();
    }
    assert_eq!(topic.subscribe(9_999, GUEST), Err(TopicError::TooManySubscribers));
    assert_eq!(topic.subscribe(0, HOST), Ok(position(0)));
    topic.unsubscribe(1);
    assert_eq!(topic.subscribe(9_999, GUEST), Ok(position(0)));
}

#[test]
fn who_comes_back_gets_what_was_missed() {
    let topic = topic_after(5, 1);
    for (seq, missed) in [(0, vec![1, 2, 3, 4, 5]), (3, vec![4, 5]), (5, vec![])] {
        let resumed = topic.resume_from(GUEST, position(seq)).unwrap();
        assert_eq!((seqs(&resumed), resumed.recovered, resumed.position), (missed, true, position(5)));
    }
}

#[test]
fn what_is_no_longer_kept_is_admitted() {
    let topic = topic_after(HISTORY_MESSAGES_MAX + 3, 1);
    let resume = |seq| topic.resume_from(GUEST, position(seq)).unwrap();
    assert_eq!((resume(3).recovered, resume(3).messages.len()), (true, HISTORY_MESSAGES_MAX));
    assert_eq!((resume(2).recovered, resume(2).messages.len()), (false, HISTORY_MESSAGES_MAX));
    assert_eq!(resume(2).messages[0].seq, 4);
}

#[test]
fn a_position_of_another_epoch_or_ahead_gets_all_that_is_kept() {
    let topic = topic_after(3, 1);
    let elsewhere = Position { epoch: Epoch::new(6), seq: 2 };
    for position in [elsewhere, position(4), position(u64::MAX)] {
        let resumed = topic.resume_from(HOST, position).unwrap();
        assert_eq!((seqs(&resumed), resumed.recovered), (vec![1, 2, 3], false));
    }
    // Not even at its very beginning: something may have been said in the epoch before.
    let beginning = Position { epoch: Epoch::new(6), seq: 0 };
    assert!(!topic.resume_from(HOST, beginning).unwrap().recovered);
}

#[test]
fn history_is_bounded_in_bytes_too() {
    let kept = HISTORY_BYTES_MAX / MESSAGE_BYTES_MAX;
    let topic = topic_after(kept + 2, MESSAGE_BYTES_MAX);
    assert_eq!(topic.resume_from(HOST, position(0)).unwrap().messages.len(), kept);
    assert!(kept >= 4);
}

proptest! {
    /// Against a model that keeps everything and forgets by definition.
    #[test]
    fn history_is_the_longest_end_that_fits(
        said in prop::collection::vec((any::<bool>(), 0..MESSAGE_BYTES_MAX, 0..100_u64), 0..40),
        count in 0..400_usize,
        offset in 0..450_u64,
    ) {
        let mut topic = topic();
        let mut sizes = Vec::new();
        for (is_call, bytes, now) in said {
            let payload = "x".repeat(bytes);
            if is_call {
                topic.call(GUEST, true, false, &payload, ms(now)).unwrap();
            } else {
                topic.publish(1, HOST, &payload, ms(now)).unwrap();
            }
            sizes.push(bytes);
        }
        for _ in 0..count {
            topic.publish(1, HOST, "1234567", ms(0)).unwrap();
        }
        sizes.resize(sizes.len() + count, 7);
        let total = sizes.len();
        let fits = |kept: &usize| {
            *kept <= HISTORY_MESSAGES_MAX && sizes[total - kept..].iter().sum::<usize>() <= HISTORY_BYTES_MAX
        };
        let kept = (0..=total).rev().find(fits).unwrap();
        let resumed = topic.resume_from(GUEST, position(offset)).unwrap();
        let (total, kept) = (total as u64, kept as u64);
        let after = if offset > total { 0 } else { offset };
        let expected: Vec<u64> = (1..=total).filter(|seq| *seq > after && *seq > total - kept).collect();
        prop_assert_eq!(seqs(&resumed), expected);
        prop_assert_eq!(resumed.recovered, offset <= total && offset >= total - kept);
        prop_assert!(resumed.messages.windows(2).all(|pair| pair[0].at <= pair[1].at));
    }
}
