use super::*;
use crate::channel::virtual_channel::samples::{alice, amount, bob, carol, part, pepe, shib};
use crate::ledger::AccountKey;

fn members() -> [Address; 2] {
    [alice().address(), bob().address()]
}

fn flows(received: u64, paid: u64) -> Flows {
    let flow = Flow { received: amount(received), paid: amount(paid) };
    Flows::from([((alice().address(), shib()), flow)])
}

#[test]
fn without_parts_everything_goes_through_the_wallet() {
    let paying = Plan::new(&members(), flows(0, 5), &[]).unwrap();
    let debit = BTreeMap::from([((alice().address(), shib()), amount(5))]);
    assert_eq!(paying.wallet_debits(), &debit);
    assert_eq!(paying.owners(), BTreeSet::from([OwnerId::Participant(alice().address())]));
    let receiving = Plan::new(&members(), flows(5, 0), &[]).unwrap();
    assert!(receiving.wallet_debits().is_empty() && receiving.owners().is_empty());
    assert_eq!(receiving.entries().len(), 1);
    assert_eq!(receiving.entries()[0].account, AccountKey::wallet(alice().address(), shib()));
}

#[test]
fn a_part_may_pay_all_of_it() {
    let parts = [part(alice(), 1, shib(), 20, 15)];
    let plan = Plan::new(&members(), flows(0, 5), &parts).unwrap();
    assert!(plan.wallet_debits().is_empty());
    assert_eq!(plan.parts().collect::<Vec<_>>(), [&parts[0]]);
    assert_eq!(plan.owners(), BTreeSet::from([OwnerId::Channel(parts[0].channel)]));
    assert_eq!(plan.entries().len(), 1);
}

#[test]
fn parts_and_wallet_share_what_is_paid() {
    let parts = [part(alice(), 1, shib(), 20, 18), part(alice(), 2, shib(), 1, 0)];
    let plan = Plan::new(&members(), flows(0, 5), &parts).unwrap();
    assert_eq!(plan.wallet_debits().values().copied().collect::<Vec<_>>(), [amount(2)]);
    assert_eq!(plan.movements().len(), 1);
    assert_eq!(plan.movements()[0].parts, parts);
}

#[test]
fn owners_are_asked_in_the_order_of_their_ids() {
    let parts = [part(bob(), 9, shib(), 0, 1), part(alice(), 3, shib(), 4, 4)];
    let plan = Plan::new(&members(), flows(0, 5), &parts).unwrap();
    let channel = |number| OwnerId::Channel(ChannelId::from_bytes([number; 32]));
    let mut participants = members().map(OwnerId::Participant);
    participants.sort_unstable();
    let order: Vec<_> = plan.owners().into_iter().collect();
    assert_eq!(order, [channel(3), channel(9), participants[0], participants[1]]);
}

#[test]
fn a_part_moves_even_where_nothing_is_received_or_paid() {
    let plan = Plan::new(&members(), Flows::new(), &[part(bob(), 1, pepe(), 0, 3)]).unwrap();
    assert_eq!(plan.wallet_debits(), &BTreeMap::from([((bob().address(), pepe()), amount(3))]));
    assert_eq!(plan.entries().len(), 2);
}

#[test]
fn nothing_to_move_is_a_plan_too() {
    let plan = Plan::new(&members(), Flows::new(), &[]).unwrap();
    assert!(plan.movements().is_empty() && plan.entries().is_empty() && plan.owners().is_empty());
}

#[test]
fn refuses_parts_in_the_documented_order() {
    let refused = |parts: &[PartMove]| Plan::new(&members(), flows(0, 5), parts).unwrap_err();
    let good = part(alice(), 1, shib(), 2, 1);
    let strange = part(carol(), 2, shib(), 2, 1);
    let (participant, channel) = (carol().address(), strange.channel);
    let repeated = PlanError::RepeatedPart { channel: good.channel };
    let stranger = PlanError::PartOfStranger { participant, channel };
    assert_eq!(refused(&[good, strange]), stranger);
    assert_eq!(refused(&[good, good, strange]), repeated);
    assert_eq!(refused(&[good, strange, good]), stranger);
    let same_channel_other_member = PartMove { channel: good.channel, ..part(bob(), 1, pepe(), 1, 0) };
    assert_eq!(refused(&[good, same_channel_other_member]), repeated);
    let most: Vec<_> = (0..64).map(|number| part(alice(), number, shib(), 1, 1)).collect();
    assert!(Plan::new(&members(), flows(0, 5), &most).is_ok());
    assert_eq!(refused(&[most, vec![strange]].concat()), PlanError::TooManyParts { count: 65 });
}

#[test]
fn refuses_amounts_that_do_not_add_up() {
    let largest = PartMove { after: Amount::MAX, ..part(alice(), 1, shib(), 0, 0) };
    let error = Plan::new(&members(), flows(0, 1), &[largest]).unwrap_err();
    assert_eq!(error, PlanError::Movement(MovementError::Overflow { token: shib() }));
    let plan = Plan::new(&members(), flows(0, 0), &[largest]).unwrap();
    assert_eq!(plan.wallet_debits().values().copied().collect::<Vec<_>>(), [Amount::MAX]);
}
