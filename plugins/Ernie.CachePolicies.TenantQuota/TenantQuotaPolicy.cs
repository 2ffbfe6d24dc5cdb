using System.Globalization;
using Ernie.Caching;
using Ernie.Caching.Toolkit;

namespace Ernie.CachePolicies.TenantQuota;

/// <summary>
/// Least recently used, but a tenant that fills more than its quota gives its pages back first, the one furthest over before
/// the others. A page counts against the tenant that brought it; others may find it. Quotas bind only under pressure: free
/// pages may be filled by anyone.
/// </summary>
internal sealed class TenantQuotaPolicy : PrefixCachePolicy
{
    public const string PolicyName = "tenant-quota";

    private const int ByUse = 0;
    private const double DefaultPercent = 25;
    private const string QuotaSetting = "quota-percent";

    private readonly CachePolicyOptions _options;
    private readonly double _defaultPercent;
    private readonly PageQueues _byUse;
    private readonly PageQueues _byTenant;
    private readonly int[] _ownerOfPage;
    private readonly Dictionary<int, int> _ownerOfTenant = [];
    private readonly List<Owner> _owners = [];

    public TenantQuotaPolicy(CachePolicyOptions options)
        : base(PolicyName, options)
    {
        PolicySettings.RefuseOthers(options, PolicyName, IsSetting);
        _options = options;
        _defaultPercent = PolicySettings.Number(options, QuotaSetting, DefaultPercent, 0, 100);
        _byUse = new PageQueues(options.PageCount, queueCount: 1);
        _byTenant = new PageQueues(options.PageCount, queueCount: 0);
        _ownerOfPage = new int[options.PageCount];
        foreach (string name in options.Settings.Keys.Where(name => name != QuotaSetting))
        {
            // Here, and not at the tenant's first page: a bad setting must stop the start.
            AddOwner(int.Parse(name.AsSpan(QuotaSetting.Length + 1), CultureInfo.InvariantCulture));
        }
    }

    protected override void OnAdopted(int page, in PrefixKey key)
    {
        if (!_ownerOfTenant.TryGetValue(key.Tenant, out int owner))
        {
            owner = AddOwner(key.Tenant);
        }

        _ownerOfPage[page] = owner;
        _owners[owner].Pages++;
    }

    protected override void OnPinned(int page)
    {
        _byUse.Remove(ByUse, page);
        _byTenant.Remove(_ownerOfPage[page], page);
    }

    protected override void OnIdle(int page)
    {
        _byUse.MoveToEnd(ByUse, page);
        _byTenant.MoveToEnd(_ownerOfPage[page], page);
    }

    protected override int SelectVictim()
    {
        int furthest = -1;
        for (int owner = 0; owner < _owners.Count; owner++)
        {
            bool isOver = _owners[owner].Excess > 0 && _byTenant.Length(owner) > 0;
            if (isOver && (furthest < 0 || _owners[owner].Excess > _owners[furthest].Excess))
            {
                furthest = owner;
            }
        }

        int page = furthest < 0 ? PrefixPages.None : FirstLeaf(furthest);
        return page != PrefixPages.None ? page : _byUse.First(ByUse);
    }

    protected override void OnEvicted(int page)
    {
        OnPinned(page);
        _owners[_ownerOfPage[page]].Pages--;
    }

    // Pages of one tenant that others continue stay until those continuations go; the rest is in order of use.
    private int FirstLeaf(int owner)
    {
        int page = _byTenant.First(owner);
        while (page != PrefixPages.None && !Pages.IsLeaf(page))
        {
            page = _byTenant.After(page);
        }

        return page;
    }

    private int AddOwner(int tenant)
    {
        string setting = string.Create(CultureInfo.InvariantCulture, $"{QuotaSetting}.{tenant}");
        double percent = PolicySettings.Number(_options, setting, _defaultPercent, 0, 100);
        int owner = _byTenant.AddQueue();
        _owners.Add(new Owner((int)(_options.PageCount * percent / 100)));
        _ownerOfTenant.Add(tenant, owner);
        return owner;
    }

    private static bool IsSetting(string name) =>
        name == QuotaSetting
        || (name.StartsWith(QuotaSetting + ".", StringComparison.Ordinal)
            && int.TryParse(
                name.AsSpan(QuotaSetting.Length + 1), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out int tenant)
            && name == string.Create(CultureInfo.InvariantCulture, $"{QuotaSetting}.{tenant}"));

    /// <summary>What one tenant holds.</summary>
    private sealed class Owner(int quotaPages)
    {
        /// <summary>Cached pages it brought, pinned ones included.</summary>
        public int Pages { get; set; }

        /// <summary>Pages beyond its quota.</summary>
        public int Excess => Pages - quotaPages;
    }
}
