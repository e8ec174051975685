@@
identifier br, skb, prev, local;
@@
br_flood(struct net_bridge *br, struct sk_buff *skb, ...)
{
<+...
- __br_forward(prev, skb, local);
+ deliver_clone(prev, skb, local);
...+>
}
